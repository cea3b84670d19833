namespace FedServerless.Compression;

/// <summary>The scale of linear levels: what one level is worth.</summary>
internal static class LevelScale
{
    /// <summary>
    /// <c>max / limit</c> in float32, one step down where limit times that overflows. 0 for a maximum of 0, and for one so small that
    /// the quotient underflows: then every level is 0.
    /// </summary>
    /// <param name="max">The largest magnitude, finite.</param>
    /// <param name="limit">The largest level.</param>
    public static float Of(float max, float limit)
    {
        var scale = max / limit;

        // Overflow is possible only for magnitudes within limit half steps of float.MaxValue, where the quotient may have been rounded up.
        return float.IsInfinity(scale * limit) ? MathF.BitDecrement(scale) : scale;
    }

    /// <summary>
    /// True when every level decodes to a finite value. −0 is refused too: a legal encoder never writes it, and one value should have one
    /// encoding.
    /// </summary>
    public static bool IsLegal(float scale, float limit) => !float.IsNegative(scale) && float.IsFinite(scale * limit);
}
