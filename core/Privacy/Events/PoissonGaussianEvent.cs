namespace FedServerless.Privacy;

/// <summary>One release of a sum plus Gaussian noise over a secret Poisson sample: every unit is in the sum by its own coin.</summary>
public sealed record PoissonGaussianEvent : ReleaseEvent
{
    /// <summary>Describes the release.</summary>
    /// <param name="samplingRate">q in (0, 1].</param>
    /// <param name="noiseMultiplier">Standard deviation of the noise over the sensitivity of the sum, never an absolute one.</param>
    /// <param name="gridBits">For discrete noise on the grid C·2⁻ᵏ its k; null for real-valued noise.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is outside its range, or the noise is below
    /// <see cref="ReleaseEvent.LeastGridDeviation"/> steps of its grid.</exception>
    public PoissonGaussianEvent(double samplingRate, double noiseMultiplier, int? gridBits = null)
        : base(samplingRate, noiseMultiplier, gridBits)
    {
    }
}
