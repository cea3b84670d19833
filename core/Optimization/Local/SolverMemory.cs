using System.Diagnostics;

namespace FedServerless.Optimization;

/// <summary>What solvers with memory share. Everything in double from float32 inputs, rounded once, on both sides the same.</summary>
internal static class SolverMemory
{
    /// <summary><c>correction[i] = sum[i]/clients − own[i]</c>; an empty sum is zeros.</summary>
    public static void Correct(ReadOnlySpan<float> own, ReadOnlySpan<float> sum, long clients, Span<float> correction)
    {
        Debug.Assert(correction.Length == own.Length && (sum.Length == 0 || sum.Length == own.Length) && clients >= 1);
        for (var i = 0; i < own.Length; i++)
        {
            correction[i] = (float)((sum.Length == 0 ? 0 : sum[i] / (double)clients) - own[i]);
        }
    }

    /// <summary><c>after[i] = own[i] + factor·delta[i] − sum[i]/clients</c>; an empty sum is zeros.</summary>
    public static void Remember(
        ReadOnlySpan<float> own, ReadOnlySpan<float> sum, long clients, ReadOnlySpan<float> delta, double factor, Span<float> after)
    {
        Debug.Assert(after.Length == own.Length && delta.Length == own.Length && (sum.Length == 0 || sum.Length == own.Length) && clients >= 1);
        for (var i = 0; i < own.Length; i++)
        {
            after[i] = (float)(own[i] + (factor * delta[i]) - (sum.Length == 0 ? 0 : sum[i] / (double)clients));
        }
    }

    /// <summary><c>after[i] = sum[i] + changes[i] − taken·sum[i]</c>; false when one is not finite.</summary>
    public static bool TryAdvance(ReadOnlySpan<float> sum, ReadOnlySpan<double> changes, double taken, Span<float> after)
    {
        Debug.Assert(after.Length == sum.Length && changes.Length == sum.Length);
        var finite = true;
        for (var i = 0; i < sum.Length; i++)
        {
            after[i] = (float)(sum[i] + changes[i] - (taken * sum[i]));
            finite &= float.IsFinite(after[i]);
        }

        return finite;
    }
}
