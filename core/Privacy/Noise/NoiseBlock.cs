namespace FedServerless.Privacy;

/// <summary>
/// The noise of one fixed block of coordinates, added to its exact sums: a draw of its own from the operating system's generator, of the full
/// <c>z·2ᵏ</c> steps at every coordinate whatever the number of blocks or shards.
/// </summary>
/// <remarks>
/// Two calls on the same sums are two draws, and both released are two releases: their mean has half the noise. Who stores the result stores it once and
/// discards a second draw unread.
/// </remarks>
public static class NoiseBlock
{
    /// <summary>Adds one value of <c>N_ℤ(0, (z·2ᵏ)²)</c> to each sum.</summary>
    /// <param name="sums">Sums of contributions in steps of the grid; noised in place. Afterwards no trace of the sums alone is left in them.</param>
    /// <param name="noiseMultiplier">z of these coordinates, in the range of <see cref="ReleaseEvent"/>: with adaptive clipping <see cref="AdaptiveClip.DeltaNoiseMultiplier"/>.</param>
    /// <param name="grid">The round's grid.</param>
    /// <exception cref="ArgumentOutOfRangeException">z is out of range, or too little for the grid.</exception>
    /// <exception cref="OverflowException">A sum leaves 64 bits; the sums are then half noised and must be thrown away.</exception>
    public static void Add(Span<long> sums, double noiseMultiplier, UpdateGrid grid) => Add(sums, noiseMultiplier, grid, SystemEntropy.Instance);

    internal static void Add(Span<long> sums, double noiseMultiplier, UpdateGrid grid, EntropySource entropy)
    {
        ArgumentNullException.ThrowIfNull(grid);
        DiscreteGaussian.OnGrid(noiseMultiplier, grid.Bits, entropy).AddTo(sums);
    }

    /// <summary>The sum of centred bits of adaptive clipping with its noise, <c>N_ℤ(0, (2σ_b·2ᵏ)²)</c>.</summary>
    /// <param name="centredBits">The sum of <see cref="AdaptiveClip.CentredBit"/>.</param>
    /// <param name="clip">The round's settings.</param>
    /// <param name="grid">The round's grid.</param>
    public static long AddToBits(long centredBits, AdaptiveClip clip, UpdateGrid grid) => AddToBits(centredBits, clip, grid, SystemEntropy.Instance);

    internal static long AddToBits(long centredBits, AdaptiveClip clip, UpdateGrid grid, EntropySource entropy)
    {
        ArgumentNullException.ThrowIfNull(clip);
        Span<long> sum = [centredBits];
        Add(sum, 2 * clip.BitNoise, grid, entropy);
        return sum[0];
    }
}
