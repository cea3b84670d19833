namespace FedServerless.Activities.Rounds;

/// <summary>Means of clients' metrics, weighted by samples (PITFALLS 39). For people and for stopping rules; never in the model.</summary>
internal static class WeightedMetrics
{
    /// <summary>The mean of each metric over the entries that report it, in double, in the order given; sorted by name.</summary>
    public static SortedDictionary<string, double> Mean(IEnumerable<(long Samples, IReadOnlyDictionary<string, double> Metrics)> entries)
    {
        var sums = new SortedDictionary<string, (double Sum, double Weight)>(StringComparer.Ordinal);
        foreach (var (samples, metrics) in entries)
        {
            foreach (var (name, value) in metrics)
            {
                var (sum, weight) = sums.GetValueOrDefault(name);
                sums[name] = (sum + (value * samples), weight + samples);
            }
        }

        var means = new SortedDictionary<string, double>(StringComparer.Ordinal);
        foreach (var (name, (sum, weight)) in sums)
        {
            var mean = sum / weight;
            if (double.IsFinite(mean))
            {
                means[name] = mean;
            }
        }

        return means;
    }
}
