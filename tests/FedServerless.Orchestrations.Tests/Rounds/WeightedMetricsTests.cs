using FedServerless.Activities.Rounds;

namespace FedServerless.Orchestrations.Tests.Rounds;

public sealed class WeightedMetricsTests
{
    // PITFALLS 39.
    [Fact]
    public void Mean_TwoEntries_WeighsBySamples()
    {
        var means = WeightedMetrics.Mean([(1, Metrics(("loss", 2), ("own", 5))), (3, Metrics(("loss", 4)))]);

        Assert.Equal([("loss", 3.5), ("own", 5.0)], means.Select(mean => (mean.Key, mean.Value)));
    }

    [Fact]
    public void Mean_OneHugeValue_DoesNotMakeTheMetricVanish()
    {
        var means = WeightedMetrics.Mean([(10_000, Metrics(("loss", double.MaxValue))), (10_000, Metrics(("loss", 0.5)))]);

        Assert.Equal(double.MaxValue / 2, means["loss"], double.MaxValue * 1e-12);
    }

    [Fact]
    public void Mean_ClientsInventNames_KeepsThoseThatMostReport()
    {
        var honest = Enumerable.Range(0, 3).Select(_ => (1L, Metrics(("loss", 1), ("accuracy", 1))));
        var hostile = Enumerable.Range(0, 2).Select(client => (1L, Metrics([.. Enumerable.Range(0, 32).Select(name => ($"a-{client}-{name}", 1.0))])));

        var means = WeightedMetrics.Mean([.. hostile, .. honest]);

        Assert.Equal(WeightedMetrics.MaxNames, means.Count);
        Assert.Contains("loss", means.Keys);
        Assert.Contains("accuracy", means.Keys);
    }

    [Fact]
    public void Mean_Nobody_HasNoMetric() => Assert.Empty(WeightedMetrics.Mean([]));

    private static IReadOnlyDictionary<string, double> Metrics(params (string Name, double Value)[] metrics) =>
        metrics.ToDictionary(metric => metric.Name, metric => metric.Value);
}
