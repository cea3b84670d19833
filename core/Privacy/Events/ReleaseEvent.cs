namespace FedServerless.Privacy;

/// <summary>One release of a sum plus Gaussian noise.</summary>
public abstract record ReleaseEvent : PrivacyEvent
{
    /// <summary>The least noise multiplier that is priced; below it nothing worth the name is promised.</summary>
    public const double LeastNoiseMultiplier = 0.01;

    /// <summary>The largest noise multiplier that is priced.</summary>
    public const double LargestNoiseMultiplier = 1e6;

    /// <summary>The least standard deviation of discrete noise in steps of its grid, so that the grid's term is small.</summary>
    public const double LeastGridDeviation = 32;

    private protected ReleaseEvent(double samplingRate, double noiseMultiplier, int? gridBits)
    {
        if (!(samplingRate is > 0 and <= 1))
        {
            throw new ArgumentOutOfRangeException(nameof(samplingRate), samplingRate, "A sampling rate is above 0 and at most 1.");
        }

        if (!(noiseMultiplier is >= LeastNoiseMultiplier and <= LargestNoiseMultiplier))
        {
            throw new ArgumentOutOfRangeException(nameof(noiseMultiplier), noiseMultiplier, $"A noise multiplier is between {LeastNoiseMultiplier} and {LargestNoiseMultiplier}.");
        }

        if (gridBits is { } bits)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(bits, nameof(gridBits));
            ArgumentOutOfRangeException.ThrowIfGreaterThan(bits, UpdateGrid.MostBits + 1, nameof(gridBits));
            if (Math.ScaleB(noiseMultiplier, bits) < LeastGridDeviation)
            {
                throw new ArgumentOutOfRangeException(nameof(gridBits), gridBits, $"Noise of {noiseMultiplier}·2^{bits} steps of its grid is too coarse: {LeastGridDeviation} is the least.");
            }
        }

        SamplingRate = samplingRate;
        NoiseMultiplier = noiseMultiplier;
        GridBits = gridBits;
    }

    /// <summary>z: standard deviation of the noise over the sensitivity.</summary>
    public double NoiseMultiplier { get; }

    /// <summary>The k of the grid C·2⁻ᵏ that the noise lives on; null for real-valued noise.</summary>
    public int? GridBits { get; }

    /// <summary>q: the probability of each unit to be in the sum; 1 when nothing is sampled.</summary>
    public double SamplingRate { get; }

    /// <summary>
    /// The noise multipliers of two real-valued mechanisms between which the discrete one lies: it is a post-processing of the
    /// first, and the second is a post-processing of it (docs/maths/privacy.md, "The grid"). Equal for real-valued noise.
    /// </summary>
    internal (double Less, double More) RealNoise
    {
        get
        {
            if (GridBits is not { } bits)
            {
                return (NoiseMultiplier, NoiseMultiplier);
            }

            var smoothing = Math.ScaleB(3, -bits);
            var square = NoiseMultiplier * NoiseMultiplier;
            return (Math.Sqrt(square - (smoothing * smoothing)), Math.Sqrt(square + (smoothing * smoothing)));
        }
    }

    internal override IEnumerable<(ReleaseEvent Release, long Count)> Releases(long times) => [(this, times)];
}
