namespace FedServerless.Wire;

/// <summary>
/// Central differential privacy of clients: the server clips, sums exactly, adds discrete Gaussian noise, and charges the population's ledger.
/// Exactly one of <see cref="Level"/>, <see cref="Epsilon"/> and <see cref="NoiseMultiplier"/> says how much. docs/concepts/privacy.md has the promise.
/// </summary>
public sealed record PrivacySpec
{
    /// <summary>One of <see cref="PrivacyLevels"/>; null for a free choice.</summary>
    public string? Level { get; init; }

    /// <summary>ε that all rounds together may cost against holders of released models, above 0, at most 100; null when the noise is given.</summary>
    public double? Epsilon { get; init; }

    /// <summary>z: the noise's standard deviation over the clipping norm, 0.01 to 1 000 000; null to find the least that keeps <see cref="Epsilon"/>.</summary>
    public double? NoiseMultiplier { get; init; }

    /// <summary>δ for <see cref="Epsilon"/>, above 0 and below 1/N; null for 1/(10N). The ledger has a δ of its own.</summary>
    public double? Delta { get; init; }

    /// <summary>
    /// N: how many clients the population has, declared once, 1 to 1 000 000 000. The mean is always over the expected cohort, qN, never over those that came.
    /// </summary>
    public required long Clients { get; init; }

    /// <summary>C: the L2 norm that the delta of all parameters is clipped to, 1e-12 to 1e12; the first one where it adapts. Default 1.</summary>
    public double Clip { get; set; } = 1;

    /// <summary>Lets C follow a quantile of the clients' norms; null for a fixed C. A <see cref="Level"/> without it adapts.</summary>
    public AdaptiveClipSpec? AdaptiveClip { get; init; }
}

/// <summary>Adaptive clipping; Andrew et al. 2021, arXiv:1905.03871.</summary>
public sealed record AdaptiveClipSpec
{
    /// <summary>γ: the share of clients to leave unclipped, above 0 and below 1. Default 0.5.</summary>
    public double Quantile { get; set; } = 0.5;

    /// <summary>η_C: how fast C moves, above 0, at most 10. Default 0.2.</summary>
    public double LearningRate { get; set; } = 0.2;

    /// <summary>σ_b: standard deviation of the noise on the count of bits, above z/2; null for max(qN/20, 2z).</summary>
    public double? BitNoise { get; init; }
}
