using FedServerless.Client.Training;
using FedServerless.Numerics;

namespace FedServerless.Client.Tests.Training;

public sealed class PartitionTests
{
    private static readonly int[] Labels = [.. Enumerable.Range(0, 1000).Select(i => i * 7 % 10)];

    [Theory]
    [InlineData(10, 3, new[] { 4, 3, 3 })]
    [InlineData(3, 3, new[] { 1, 1, 1 })]
    [InlineData(5, 1, new[] { 5 })]
    public void Iid_AnySizes_DealsEverySampleOnceAndEvenly(int samples, int clients, int[] sizes)
    {
        var parts = Partition.Iid(samples, clients, seed: 1);

        Assert.Equal(sizes, parts.Select(part => part.Length));
        AssertDealsAll(parts, samples);
    }

    [Fact]
    public void Iid_OtherSeed_IsAnotherDeal()
    {
        Assert.Equal(Partition.Iid(100, 4, 1), Partition.Iid(100, 4, 1));
        Assert.NotEqual(Partition.Iid(100, 4, 1), Partition.Iid(100, 4, 2));
    }

    [Fact]
    public void Iid_FewerSamplesThanClients_Throws() => Assert.Throws<ArgumentException>(() => Partition.Iid(2, 3, 1));

    // PITFALLS 52.
    [Theory]
    [InlineData(0.01)]
    [InlineData(0.1)]
    [InlineData(1)]
    [InlineData(1000)]
    public void Dirichlet_AnyAlpha_DealsEverySampleOnceAndHoldsTheMinimum(double alpha)
    {
        var parts = Partition.Dirichlet(Labels, 20, alpha, seed: 1);

        AssertDealsAll(parts, Labels.Length);
        Assert.All(parts, part => Assert.InRange(part.Length, 10, Labels.Length));
    }

    [Fact]
    public void Dirichlet_MinimumTakesEverything_StillDeals()
    {
        var parts = Partition.Dirichlet(Labels, 100, 0.05, seed: 1, minimumSamples: 10);

        AssertDealsAll(parts, Labels.Length);
        Assert.All(parts, part => Assert.Equal(10, part.Length));
    }

    [Fact]
    public void Dirichlet_SmallAlpha_IsSkewedAndLargeAlphaIsNot()
    {
        // Mean over clients of the share of their commonest class: 0.1 when even, 1 when each has one class.
        Assert.InRange(MeanLargestShare(Partition.Dirichlet(Labels, 5, 0.05, seed: 2)), 0.4, 1);
        Assert.InRange(MeanLargestShare(Partition.Dirichlet(Labels, 5, 10_000, seed: 2)), 0.1, 0.15);
    }

    // PITFALLS 52: each class over the clients. A class's shares are then Dir(α) over K clients, so E Σp² = (α + 1)/(Kα + 1), and sizes vary
    // by 10·100²·(1/K)(1 − 1/K)/(Kα + 1). The other definition, each client over the classes, gives equal sizes.
    [Fact]
    public void Dirichlet_ManyDeals_HaveTheSharesAndSizesOfClassesOverClients()
    {
        int[][][] deals = [.. Enumerable.Range(0, 100).Select(seed => Partition.Dirichlet(Labels, 5, 0.5, seed, minimumSamples: 1))];

        var concentration = deals.Average(parts => Enumerable.Range(0, 10).Average(label => parts.Sum(part => Math.Pow(part.Count(i => Labels[i] == label) / 100.0, 2))));
        Assert.Equal(1.5 / 3.5, concentration, 0.03);
        Assert.Equal(1e5 * 0.16 / 3.5, deals.Average(parts => parts.Average(part => Math.Pow(part.Length - 200, 2))), 900.0);
    }

    // PITFALLS 52: a deal that leaves somebody with too few is made anew, not patched: far more samples move than were missing.
    [Fact]
    public void Dirichlet_FirstDealLeavesSomebodyShort_IsDealtAnew()
    {
        var seed = Enumerable.Range(0, 100).First(seed => Partition.Dirichlet(Labels, 10, 0.2, seed, minimumSamples: 1).Min(part => part.Length) < 10);
        var first = Partition.Dirichlet(Labels, 10, 0.2, seed, minimumSamples: 1);

        var dealt = Partition.Dirichlet(Labels, 10, 0.2, seed, minimumSamples: 10);

        Assert.InRange(dealt.Zip(first).Sum(pair => pair.First.Except(pair.Second).Count()), 500, 1000);
    }

    [Fact]
    public void Dirichlet_OtherSeed_IsAnotherDeal()
    {
        Assert.Equal(Partition.Dirichlet(Labels, 5, 0.5, 1), Partition.Dirichlet(Labels, 5, 0.5, 1));
        Assert.NotEqual(Partition.Dirichlet(Labels, 5, 0.5, 1), Partition.Dirichlet(Labels, 5, 0.5, 2));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(double.NaN)]
    [InlineData(1_000_001)]
    public void Dirichlet_AlphaOutOfRange_Throws(double alpha) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => Partition.Dirichlet(Labels, 5, alpha, 1));

    [Fact]
    public void Dirichlet_MinimumImpossible_Throws() =>
        Assert.Throws<ArgumentException>(() => Partition.Dirichlet(Labels, 100, 1, 1, minimumSamples: 11));

    [Fact]
    public void LabelShards_TwoShards_GivesEveryClientFewClassesAndEqualSizes()
    {
        var parts = Partition.LabelShards(Labels, 20, seed: 1);

        AssertDealsAll(parts, Labels.Length);
        Assert.All(parts, part => Assert.Equal(50, part.Length));
        Assert.All(parts, part => Assert.InRange(part.Select(i => Labels[i]).Distinct().Count(), 1, 2));
    }

    [Fact]
    public void LabelShards_OtherSeed_IsAnotherDeal()
    {
        Assert.Equal(Partition.LabelShards(Labels, 20, 1), Partition.LabelShards(Labels, 20, 1));
        Assert.NotEqual(Partition.LabelShards(Labels, 20, 1), Partition.LabelShards(Labels, 20, 2));
    }

    [Theory]
    [InlineData(0.1)]
    [InlineData(0.9)]
    [InlineData(1)]
    [InlineData(7.5)]
    public void DrawLogGamma_ManyDraws_HasTheMeanAndVarianceOfItsShape(double alpha)
    {
        var random = new DeterministicRandom(3);
        var values = Enumerable.Range(0, 100_000).Select(_ => Math.Exp(DirichletDistribution.DrawLogGamma(random, alpha))).ToArray();

        var mean = values.Average();
        Assert.Equal(alpha, mean, 0.02 * Math.Max(1, alpha));
        Assert.Equal(alpha, values.Average(value => (value - mean) * (value - mean)), 0.05 * Math.Max(1, alpha));
    }

    [Fact]
    public void DrawCumulative_TinyAlpha_StillSumsToOne()
    {
        var cumulative = new double[6];
        DirichletDistribution.DrawCumulative(new DeterministicRandom(1), 1e-6, cumulative);

        Assert.Equal(1, cumulative[^1]);
        Assert.Equal(cumulative.Order(), cumulative);
    }

    private static double MeanLargestShare(int[][] parts) =>
        parts.Average(part => part.GroupBy(i => Labels[i]).Max(group => group.Count()) / (double)part.Length);

    private static void AssertDealsAll(int[][] parts, int samples)
    {
        Assert.Equal(Enumerable.Range(0, samples), parts.SelectMany(part => part).Order());
        Assert.All(parts, part => Assert.Equal(part.Order(), part));
    }
}
