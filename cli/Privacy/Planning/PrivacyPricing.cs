using FedServerless.Privacy;
using FedServerless.Wire;

namespace FedServerless.Cli.Privacy.Planning;

/// <summary>Finds noise and prices it, as a run's terms would.</summary>
internal static class PrivacyPricing
{
    // The coarsest grid any model gets: a finer one costs less.
    private static readonly int GridBits = UpdateGrid.BitsFor(1);

    /// <summary>The rows of a question, without accuracy, in the order of its lists.</summary>
    public static IEnumerable<PrivacyPlanRow> Rows(PrivacyPlanOptions options)
    {
        foreach (var clients in options.Clients)
        {
            var rate = options.Cohort is { } cohort ? cohort / clients : options.Rate;
            var delta = options.Delta ?? 0.1 / clients;
            foreach (var rounds in options.Rounds)
            {
                if (options.Noise.Count > 0)
                {
                    foreach (var noise in options.Noise)
                    {
                        yield return Price(clients, rate, rounds, delta, null, noise);
                    }

                    continue;
                }

                foreach (var epsilon in options.Epsilons)
                {
                    var noise = NoiseCalibration.Rounds(new PrivacySpend(epsilon, delta), rate, rounds, GridBits);
                    var level = PrivacyLevels.Names.FirstOrDefault(name => PrivacyLevels.EpsilonOf(name) == epsilon);
                    yield return Price(clients, rate, rounds, delta, level, noise);
                }
            }
        }
    }

    private static PrivacyPlanRow Price(long clients, double rate, int rounds, double delta, string? level, double noise)
    {
        var release = new NoisyRelease(ClientSampling.Poisson, rate, noise) { GridBits = GridBits };
        return new PrivacyPlanRow(
            clients, rate, rounds, delta, level, noise, Tight(PrivacyAdversary.ModelHolder), Tight(PrivacyAdversary.CohortObserver),
            RenyiCurve.Of(Schedule(PrivacyAdversary.ModelHolder), RenyiOrders.Default).Spend(delta).Epsilon);

        RepeatedEvent Schedule(PrivacyAdversary adversary) => new(release.Against(adversary), rounds);

        double Tight(PrivacyAdversary adversary) => new TightAccountant().Epsilon(Schedule(adversary), delta).Upper;
    }
}
