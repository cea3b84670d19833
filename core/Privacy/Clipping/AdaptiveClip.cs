namespace FedServerless.Privacy;

/// <summary>
/// Adaptive clipping: the norm C follows a quantile of the clients' norms, from one noised bit a client. Andrew, Thakkar, McMahan and
/// Ramaswamy 2021, arXiv:1905.03871, algorithm 1. Round t clips and noises with the same C. Immutable.
/// </summary>
/// <remarks>
/// The bit <c>b = 1[norm ≤ C]</c> is taken before clipping and counts as ±½. It is one more coordinate of the contribution, on a grid as fine as the
/// deltas': ±2ᵏ steps of 2^−(k+1), noised with a deviation of 2σ_b·2ᵏ steps. So the price of the whole is that of z on that grid.
/// </remarks>
public sealed record AdaptiveClip
{
    /// <summary>The largest η_C.</summary>
    public const double LargestStep = 10;

    /// <summary>The settings, complete.</summary>
    /// <param name="noiseMultiplier">z of a round as a whole, the one that is accounted.</param>
    /// <param name="bitNoise">σ_b: the standard deviation of the noise on the count of bits; above z/2.</param>
    /// <param name="quantile">γ in (0, 1): the share of clients to leave unclipped; a half in the paper.</param>
    /// <param name="learningRate">η_C in (0, 10]: 0.2 in the paper.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is out of range, or z ≥ 2σ_b: the bits alone would cost more than the round may.</exception>
    public AdaptiveClip(double noiseMultiplier, double bitNoise, double quantile = 0.5, double learningRate = 0.2)
    {
        _ = new GaussianEvent(noiseMultiplier);
        if (!(bitNoise > noiseMultiplier / 2 && bitNoise <= ReleaseEvent.LargestNoiseMultiplier / 2))
        {
            throw new ArgumentOutOfRangeException(nameof(bitNoise), bitNoise, $"The noise on the count of bits is above half the noise multiplier, {noiseMultiplier / 2}: otherwise the bits alone cost more than the round.");
        }

        if (!(quantile is > 0 and < 1))
        {
            throw new ArgumentOutOfRangeException(nameof(quantile), quantile, "A quantile is between 0 and 1.");
        }

        if (!(learningRate is > 0 and <= LargestStep))
        {
            throw new ArgumentOutOfRangeException(nameof(learningRate), learningRate, $"The learning rate of the clipping norm is above 0 and at most {LargestStep}.");
        }

        (NoiseMultiplier, BitNoise, Quantile, LearningRate) = (noiseMultiplier, bitNoise, quantile, learningRate);
        var share = noiseMultiplier / (2 * bitNoise);

        // z_Δ = (z⁻² − (2σ_b)⁻²)^(−½), their theorem 1; in this form nothing cancels until the root.
        DeltaNoiseMultiplier = noiseMultiplier / Math.Sqrt((1 - share) * (1 + share));
        if (!(DeltaNoiseMultiplier <= ReleaseEvent.LargestNoiseMultiplier))
        {
            throw new ArgumentOutOfRangeException(nameof(bitNoise), bitNoise, $"The noise left for the deltas would be a multiplier of {DeltaNoiseMultiplier}.");
        }
    }

    /// <summary>z.</summary>
    public double NoiseMultiplier { get; }

    /// <summary>σ_b.</summary>
    public double BitNoise { get; }

    /// <summary>γ.</summary>
    public double Quantile { get; }

    /// <summary>η_C.</summary>
    public double LearningRate { get; }

    /// <summary>z_Δ, above z: the noise multiplier of the sum of deltas, so that deltas and bits together cost what z costs.</summary>
    public double DeltaNoiseMultiplier { get; }

    /// <summary>The paper's σ_b for an expected cohort: a twentieth of it, so that the bits cost little; but feasible.</summary>
    /// <param name="expectedContributions">qN, above 0.</param>
    /// <param name="noiseMultiplier">z.</param>
    public static double DefaultBitNoise(double expectedContributions, double noiseMultiplier) => Math.Max(expectedContributions / 20, 2 * noiseMultiplier);

    /// <summary>A client's bit in steps: 2ᵏ if the norm before clipping is at most C, else −2ᵏ.</summary>
    /// <param name="norm">Before clipping; finite.</param>
    /// <param name="grid">The round's grid.</param>
    public static long CentredBit(double norm, UpdateGrid grid)
    {
        ArgumentNullException.ThrowIfNull(grid);
        return norm <= grid.Clip ? grid.StepsPerClip : -grid.StepsPerClip;
    }

    /// <summary>The noise for the sum of centred bits, in steps: <c>N_ℤ(0, (2σ_b·2ᵏ)²)</c>.</summary>
    /// <param name="grid">The round's grid.</param>
    public DiscreteGaussian CreateBitNoise(UpdateGrid grid)
    {
        ArgumentNullException.ThrowIfNull(grid);
        return DiscreteGaussian.OnGrid(2 * BitNoise, grid.Bits);
    }

    /// <summary>
    /// The next round's norm: <c>C·exp(−η_C·(b̃ − γ))</c>, <c>b̃ = ½ + noisy/(2·2ᵏ·qN)</c>, kept in the range of <see cref="UpdateClip"/>. The same bits on every
    /// machine.
    /// </summary>
    /// <param name="grid">This round's grid, with its C.</param>
    /// <param name="noisyCentredBits">The sum of centred bits in steps, with its noise.</param>
    /// <param name="expectedContributions">The fixed qN; absent clients count as 0, never as a bit.</param>
    public double Next(UpdateGrid grid, long noisyCentredBits, double expectedContributions)
    {
        ArgumentNullException.ThrowIfNull(grid);
        if (!(expectedContributions > 0 && double.IsFinite(expectedContributions)))
        {
            throw new ArgumentOutOfRangeException(nameof(expectedContributions), expectedContributions, "The expected number of contributions is above 0.");
        }

        // Noise can carry the share far outside [0, 1]; a share beyond one whole on either side says no more than that.
        var share = Math.Clamp(0.5 + (noisyCentredBits / (2.0 * grid.StepsPerClip * expectedContributions)), -1, 2);
        return Math.Clamp(grid.Clip * Exp(-LearningRate * (share - Quantile)), UpdateClip.LeastClip, UpdateClip.LargestClip);
    }

    /// <summary>eˣ for |x| ≤ 30 within a few units in the last place, from correctly rounded operations only: the platform's differs by C library.</summary>
    internal static double Exp(double x)
    {
        const double Ln2High = 6.93147180369123816490e-01; // The upper 33 bits, so that the product is exact.
        const double Ln2Low = 1.90821492927058770002e-10;
        var exponent = Math.Round(x * 1.4426950408889634);
        var rest = (x - (exponent * Ln2High)) - (exponent * Ln2Low);
        var series = 1.0;
        for (var n = 17; n >= 1; n--)
        {
            series = 1 + (series * rest / n);
        }

        return Math.ScaleB(series, (int)exponent);
    }
}
