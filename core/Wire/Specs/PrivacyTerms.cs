using FedServerless.Privacy;
using Clipping = FedServerless.Privacy.AdaptiveClip;

namespace FedServerless.Wire;

/// <summary>What a private run does in every round: a spec with every default made and the noise found. Stored with the run; never computed again.</summary>
public sealed record PrivacyTerms
{
    /// <summary>How cohorts are drawn.</summary>
    public required ClientSampling Sampling { get; init; }

    /// <summary>q in (0, 1]: the coin of a Poisson sample, m/N of a fixed size, 1 for all.</summary>
    public required double SamplingRate { get; init; }

    /// <summary>N, as declared.</summary>
    public required long Clients { get; init; }

    /// <summary>z of a round as a whole: what is accounted.</summary>
    public required double NoiseMultiplier { get; init; }

    /// <summary>δ of the run's own ε.</summary>
    public required double Delta { get; init; }

    /// <summary>C of the first round.</summary>
    public required double Clip { get; init; }

    /// <summary>Adaptive clipping with its noise chosen; null for a fixed C.</summary>
    public AdaptiveClipTerms? AdaptiveClip { get; init; }

    /// <summary>qN: what the noised sum is divided by, whoever came.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public double Denominator => SamplingRate * Clients;

    /// <summary>The release of one round.</summary>
    /// <param name="gridBits">k of the round's grid.</param>
    public NoisyRelease Release(int gridBits) => new(Sampling, SamplingRate, NoiseMultiplier) { GridBits = gridBits };

    /// <summary>The terms of a legal private spec. Finds the noise where the spec names an ε: some tens of milliseconds.</summary>
    /// <param name="spec">Validated; its <see cref="RunSpec.Privacy"/> is not null.</param>
    /// <exception cref="ArgumentException">No noise keeps the ε asked for.</exception>
    public static PrivacyTerms Of(RunSpec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        var privacy = spec.Privacy ?? throw new ArgumentException("The spec is not private.", nameof(spec));
        var (sampling, rate) = SamplingOf(spec.Selection, privacy.Clients);
        var delta = privacy.Delta ?? 0.1 / privacy.Clients;
        var epsilon = privacy.Level is { } level ? PrivacyLevels.EpsilonOf(level) : privacy.Epsilon;
        var noise = privacy.NoiseMultiplier ?? Calibrate(sampling, rate, new PrivacySpend(epsilon!.Value, delta), spec.Rounds);
        var adaptive = privacy.AdaptiveClip ?? (privacy.Level is null ? null : new AdaptiveClipSpec());
        return new PrivacyTerms
        {
            Sampling = sampling,
            SamplingRate = rate,
            Clients = privacy.Clients,
            NoiseMultiplier = noise,
            Delta = delta,
            Clip = privacy.Clip,
            AdaptiveClip = adaptive is null
                ? null
                : new AdaptiveClipTerms(adaptive.Quantile, adaptive.LearningRate, adaptive.BitNoise ?? Clipping.DefaultBitNoise(rate * privacy.Clients, noise)),
        };
    }

    private static (ClientSampling Sampling, double Rate) SamplingOf(SelectionSpec selection, long clients) => selection.Kind switch
    {
        Selections.Poisson => (ClientSampling.Poisson, selection.Rate!.Value),
        Selections.Uniform => (ClientSampling.FixedSize, Math.Min(1, (double)selection.Clients!.Value / clients)),
        _ => (ClientSampling.AllClients, 1),
    };

    // The coarsest grid any model gets: a finer one costs less.
    private static double Calibrate(ClientSampling sampling, double rate, PrivacySpend budget, int rounds) =>
        NoiseCalibration.Least(budget.Epsilon, UpdateGrid.BitsFor(1), noise =>
        {
            var release = new NoisyRelease(sampling, rate, noise) { GridBits = UpdateGrid.BitsFor(1) };
            if (noise / release.Sensitivity(PrivacyAdversary.ModelHolder) < ReleaseEvent.LeastNoiseMultiplier)
            {
                // The search starts at the least noise there is, which a sensitivity of 2 halves: nothing prices that, so it keeps no promise.
                return double.PositiveInfinity;
            }

            return RenyiCurve.Of(new RepeatedEvent(release.Against(PrivacyAdversary.ModelHolder), rounds), RenyiOrders.Default).Spend(budget.Delta).Epsilon;
        });
}

/// <summary>Adaptive clipping of a run.</summary>
/// <param name="Quantile">γ.</param>
/// <param name="LearningRate">η_C.</param>
/// <param name="BitNoise">σ_b.</param>
public sealed record AdaptiveClipTerms(double Quantile, double LearningRate, double BitNoise);
