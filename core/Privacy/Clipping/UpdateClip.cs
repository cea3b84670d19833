using FedServerless.Numerics;

namespace FedServerless.Privacy;

/// <summary>Clipping of a whole parameter delta, all tensors jointly, to a norm; norms in double.</summary>
public static class UpdateClip
{
    /// <summary>The least clipping norm.</summary>
    public const double LeastClip = 1e-12;

    /// <summary>The largest clipping norm.</summary>
    public const double LargestClip = 1e12;

    /// <summary><c>min(1, C/norm)</c>, and 1 for a norm of 0.</summary>
    /// <param name="norm">0 or more and finite: NaN compares false with everything and must not pass for small.</param>
    /// <param name="clip">C, between <see cref="LeastClip"/> and <see cref="LargestClip"/>.</param>
    public static double Factor(double norm, double clip)
    {
        ThrowIfNotClip(clip);
        if (!(norm >= 0 && double.IsFinite(norm)))
        {
            throw new ArgumentOutOfRangeException(nameof(norm), norm, "A norm is 0 or more and finite.");
        }

        return norm <= clip ? 1 : clip / norm;
    }

    /// <summary>
    /// Clips a delta in place. Rounding to float32 may leave it a few parts in 10⁷ too long: the server clips again, on the grid.
    /// </summary>
    /// <param name="delta">The delta of all parameters, never the weights, with any residual added already.</param>
    /// <param name="clip">C.</param>
    /// <param name="norm">The norm before; <c>norm ≤ C</c> is the bit of adaptive clipping.</param>
    /// <returns>False, with the delta untouched, if the norm is not finite.</returns>
    public static bool TryClip(Span<float> delta, double clip, out double norm)
    {
        ThrowIfNotClip(clip);
        norm = Math.Sqrt(Reductions.SumOfSquares(delta));
        if (!double.IsFinite(norm))
        {
            return false;
        }

        var factor = Factor(norm, clip);
        if (factor < 1)
        {
            for (var i = 0; i < delta.Length; i++)
            {
                delta[i] = (float)(delta[i] * factor);
            }
        }

        return true;
    }

    internal static void ThrowIfNotClip(double clip)
    {
        if (!(clip is >= LeastClip and <= LargestClip))
        {
            throw new ArgumentOutOfRangeException(nameof(clip), clip, $"A clipping norm is between {LeastClip} and {LargestClip}.");
        }
    }
}
