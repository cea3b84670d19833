using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace FedServerless.Activities.Telemetry;

/// <summary>What is said of budgets: of each population that this process has looked at, as it was when it looked last.</summary>
internal static class PrivacyTelemetry
{
    /// <summary>Most populations that are told apart; those beyond are not reported.</summary>
    internal const int MostPopulations = 100;

    private static readonly ConcurrentDictionary<string, double> Ratios = new(StringComparer.Ordinal);

    // Kept alive by the meter; what it observes is above.
    private static readonly ObservableGauge<double> Gauge = FedTelemetry.Meter.CreateObservableGauge(
        "fed.privacy.spent_ratio", Observe, "1", "Which part of a population's privacy budget is charged or reserved; 1 is all of it.");

    /// <summary>Where a population's budget stands.</summary>
    /// <param name="population">The population.</param>
    /// <param name="ratio">Which part of it is charged or reserved.</param>
    public static void Spent(string population, double ratio)
    {
        _ = Gauge;
        if (Ratios.ContainsKey(population) || Ratios.Count < MostPopulations)
        {
            Ratios[population] = ratio;
        }
    }

    private static IEnumerable<Measurement<double>> Observe() =>
        Ratios.Select(entry => new Measurement<double>(entry.Value, new KeyValuePair<string, object?>("population", entry.Key)));
}
