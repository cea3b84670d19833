namespace FedServerless.Privacy;

/// <summary>One release of a sum plus Gaussian noise, every unit included; <see cref="PoissonGaussianEvent"/> is the sampled one.</summary>
public sealed record GaussianEvent : ReleaseEvent
{
    /// <summary>Describes the release.</summary>
    /// <param name="noiseMultiplier">Standard deviation of the noise over the sensitivity of the sum, never an absolute one.</param>
    /// <param name="gridBits">For discrete noise on the grid C·2⁻ᵏ its k; null for real-valued noise.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is outside its range, or the noise is below
    /// <see cref="ReleaseEvent.LeastGridDeviation"/> steps of its grid.</exception>
    public GaussianEvent(double noiseMultiplier, int? gridBits = null)
        : base(1, noiseMultiplier, gridBits)
    {
    }
}
