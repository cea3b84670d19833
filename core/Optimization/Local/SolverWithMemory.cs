using System.Diagnostics;

namespace FedServerless.Optimization;

/// <summary>A solver that keeps a vector for every client, and their sum on the server. Everything in double from float32 inputs, rounded once, on both sides the same.</summary>
internal abstract class SolverWithMemory : ILocalSolver
{
    public abstract string Name { get; }

    public bool HasMemory => true;

    public abstract bool NeedsMean { get; }

    public void Correct(ReadOnlySpan<float> own, ReadOnlySpan<float> sum, long clients, Span<float> correction)
    {
        Debug.Assert(correction.Length == own.Length && (sum.Length == 0 || sum.Length == own.Length) && clients >= 1);
        var hasMean = NeedsMean && sum.Length > 0;
        for (var i = 0; i < own.Length; i++)
        {
            correction[i] = (float)((hasMean ? sum[i] / (double)clients : 0) - own[i]);
        }
    }

    public void Remember(ReadOnlySpan<float> own, ReadOnlySpan<float> sum, long clients, ReadOnlySpan<float> delta, long steps, Span<float> after)
    {
        Debug.Assert(after.Length == own.Length && delta.Length == own.Length && (sum.Length == 0 || sum.Length == own.Length) && clients >= 1);
        var hasMean = NeedsMean && sum.Length > 0;
        var factor = ChangeFactor(steps);
        for (var i = 0; i < own.Length; i++)
        {
            after[i] = (float)(own[i] + (factor * delta[i]) - (hasMean ? sum[i] / (double)clients : 0));
        }
    }

    public abstract double ChangeFactor(long steps);

    public virtual bool TryAdvance(ReadOnlySpan<float> sum, ReadOnlySpan<double> changes, long included, long clients, Span<float> after, Span<double> aggregate)
    {
        Debug.Assert(after.Length == sum.Length && changes.Length == sum.Length && clients >= 1);
        var taken = NeedsMean ? (double)included / clients : 0;
        var finite = true;
        for (var i = 0; i < sum.Length; i++)
        {
            after[i] = (float)(sum[i] + changes[i] - (taken * sum[i]));
            finite &= float.IsFinite(after[i]);
        }

        return finite;
    }

    public double Length(long steps) => 1;
}
