using FedServerless.Wire;

namespace FedServerless.Activities.Rounds;

/// <summary>Means of clients' metrics, weighted by samples (PITFALLS 39). For people and for stopping rules; never in the model.</summary>
internal static class WeightedMetrics
{
    /// <summary>Most metrics that a mean has: what one client may report.</summary>
    public const int MaxNames = DeviceApi.MaxMetrics;

    /// <summary>
    /// The mean of each metric over the entries that report it, in double, in the order given; sorted by name. Of more than
    /// <see cref="MaxNames"/> names those that most entries report, so that clients cannot swell a document by inventing names.
    /// </summary>
    public static SortedDictionary<string, double> Mean(IReadOnlyCollection<(long Samples, IReadOnlyDictionary<string, double> Metrics)> entries)
    {
        var means = new SortedDictionary<string, double>(StringComparer.Ordinal);
        foreach (var name in Names(entries))
        {
            if (Mean(entries, name) is var mean && double.IsFinite(mean))
            {
                means[name] = mean;
            }
        }

        return means;
    }

    private static IEnumerable<string> Names(IEnumerable<(long Samples, IReadOnlyDictionary<string, double> Metrics)> entries) => entries
        .SelectMany(entry => entry.Metrics.Keys)
        .CountBy(name => name, StringComparer.Ordinal)
        .OrderByDescending(reported => reported.Value)
        .ThenBy(reported => reported.Key, StringComparer.Ordinal)
        .Take(MaxNames)
        .Select(reported => reported.Key);

    private static double Mean(IEnumerable<(long Samples, IReadOnlyDictionary<string, double> Metrics)> entries, string name)
    {
        double sum = 0;
        double weight = 0;
        foreach (var (samples, metrics) in entries)
        {
            if (metrics.TryGetValue(name, out var value))
            {
                sum += value * samples;
                weight += samples;
            }
        }

        if (double.IsFinite(sum))
        {
            return sum / weight;
        }

        // One client's 1e308 must not make the metric vanish: shares of the weight add up to one, so these products hardly overflow.
        return entries.Sum(entry => entry.Metrics.TryGetValue(name, out var value) ? value * (entry.Samples / weight) : 0);
    }
}
