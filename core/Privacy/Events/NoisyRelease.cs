namespace FedServerless.Privacy;

/// <summary>
/// One noisy sum of clipped contributions and everything its price depends on, named: unit, adjacency, sampling, population.
/// Turns into the event that an accountant prices against an adversary.
/// </summary>
/// <param name="Sampling">How the cohort is drawn.</param>
/// <param name="SamplingRate">q in (0, 1]: a Poisson sample's coin, m/N of a fixed size, 1 for all clients.</param>
/// <param name="NoiseMultiplier">z: the noise's standard deviation over the clipping norm C.</param>
public sealed record NoisyRelease(ClientSampling Sampling, double SamplingRate, double NoiseMultiplier)
{
    /// <summary>Which datasets are compared; add or remove one unless said otherwise.</summary>
    public PrivacyAdjacency Adjacency { get; init; } = PrivacyAdjacency.AddOrRemoveOne;

    /// <summary>What is protected; one client unless said otherwise.</summary>
    public PrivacyUnit Unit { get; init; } = PrivacyUnit.Client;

    /// <summary>The k of the grid C·2⁻ᵏ of discrete noise; null for real-valued noise.</summary>
    public int? GridBits { get; init; }

    /// <summary>
    /// How far the sum moves between neighbours, in units of C. Replacing one unit moves it by 2. A sample of fixed size moves by 2
    /// even when one client is added or removed, since another takes its place; given the cohort, or when the client's contribution is
    /// zeroed while it is counted, it moves by 1.
    /// </summary>
    /// <param name="adversary">Against whom.</param>
    public int Sensitivity(PrivacyAdversary adversary) => (Adjacency, Sampling, adversary) switch
    {
        (PrivacyAdjacency.ReplaceOne, _, _) => 2,
        (PrivacyAdjacency.AddOrRemoveOne, ClientSampling.FixedSize, PrivacyAdversary.ModelHolder) => 2,
        _ => 1,
    };

    /// <summary>
    /// Whether sampling amplifies: a secret Poisson sample, for units that are there or not. Replace-one is priced as if everybody
    /// took part, which is sound and not tight: its worst pair is another one than the accountants price.
    /// </summary>
    /// <param name="adversary">Against whom.</param>
    public bool IsAmplified(PrivacyAdversary adversary) =>
        Sampling == ClientSampling.Poisson && adversary == PrivacyAdversary.ModelHolder && Adjacency != PrivacyAdjacency.ReplaceOne;

    /// <summary>The event to price.</summary>
    /// <param name="adversary">Against whom.</param>
    /// <exception cref="ArgumentOutOfRangeException">Noise is outside its range.</exception>
    /// <exception cref="InvalidOperationException">The rate is outside (0, 1], or below 1 although all clients take part.</exception>
    public PrivacyEvent Against(PrivacyAdversary adversary)
    {
        if (!(SamplingRate is > 0 and <= 1) || (Sampling == ClientSampling.AllClients && SamplingRate != 1))
        {
            throw new InvalidOperationException($"A sampling rate is above 0 and at most 1, and 1 for all clients; this is {SamplingRate}.");
        }

        // Twice the sensitivity is half the multiplier and twice as many grid steps: k rises by one.
        var sensitivity = Sensitivity(adversary);
        var noise = NoiseMultiplier / sensitivity;
        var bits = GridBits + (sensitivity - 1);
        return IsAmplified(adversary) ? new PoissonGaussianEvent(SamplingRate, noise, bits) : new GaussianEvent(noise, bits);
    }
}
