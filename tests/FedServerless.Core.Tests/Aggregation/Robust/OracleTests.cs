using FedServerless.Aggregation.Robust;
using FedServerless.Core.Tests.Oracles;

namespace FedServerless.Core.Tests.Aggregation.Robust;

/// <summary>Every rule against numpy, which works on the updates themselves: Oracles/make_robust.py.</summary>
public sealed class OracleTests
{
    // What is asked of a sum of about a dozen float32 in float64, in either order.
    private const double Exact = 1e-14;

    // Distances by way of inner products, whose cancellation costs a few digits.
    private const double ByGram = 1e-9;

    public static TheoryData<string> Names => RobustOracle.Names;

    // PITFALLS 34: of an even number the mean of the two middle ones.
    [Theory]
    [MemberData(nameof(Names))]
    public void Median_EveryMatrix_IsNumpys(string name)
    {
        var oracle = RobustOracle.Named(name);
        var median = new double[oracle.Median.Length];

        Assert.True(ColumnOrder.ForMedian(oracle.Updates.Length, null).TryMedian(Blocks.Tile(oracle.Updates), median));

        Assert.Equal(oracle.Median, median);
    }

    // PITFALLS 34: off each end.
    [Theory]
    [MemberData(nameof(Names))]
    public void TrimmedMean_EveryMatrix_IsNumpys(string name)
    {
        var oracle = RobustOracle.Named(name);
        var mean = new double[oracle.TrimmedMean.Length];

        Assert.True(ColumnOrder.ForTrimmedMean(oracle.Updates.Length, oracle.F, null).TryTrimmedMean(Blocks.Tile(oracle.Updates), oracle.F, mean));

        AssertClose(oracle.TrimmedMean, mean, Exact * Largest(oracle.TrimmedMean));
    }

    // PITFALLS 32.
    [Theory]
    [MemberData(nameof(Names))]
    public void Krum_EveryMatrix_HasNumpysScoresAndChoices(string name)
    {
        var oracle = RobustOracle.Named(name);
        var gram = Blocks.Gram(oracle.Updates);

        var scores = Krum.Scores(gram, oracle.F);

        Assert.All(scores.Zip(oracle.KrumScores), pair => Assert.Equal(pair.Second, pair.First, ByGram * Math.Abs(pair.Second)));
        Assert.Equal(oracle.Krum, Chosen(Krum.Choose(gram, oracle.F, keep: 1)));
        Assert.Equal(oracle.MultiKrum, Chosen(Krum.Choose(gram, oracle.F, keep: 0)));
    }

    // PITFALLS 33: θ = n − 2f picked, β = θ − 2f kept, around the median and not the mean.
    [Theory]
    [MemberData(nameof(Names))]
    public void Bulyan_EveryMatrix_PicksAndAveragesLikeNumpy(string name)
    {
        var oracle = RobustOracle.Named(name);
        var choice = Bulyan.Choose(Blocks.Gram(oracle.Updates), oracle.F);
        if (oracle.BulyanPicked.Length == 0)
        {
            Assert.StartsWith("refused: n < 4f+3", choice.Refusal, StringComparison.Ordinal);
            return;
        }

        var picked = Chosen(choice);
        var mean = new double[oracle.Bulyan.Length];
        Assert.True(ColumnOrder.ForMeanAroundMedian(picked.Length, null).TryMeanAroundMedian(
            Blocks.Tile([.. picked.Select(i => oracle.Updates[i])]), Bulyan.Kept(oracle.Updates.Length, oracle.F), mean));

        Assert.Equal(oracle.BulyanPicked, picked);
        AssertClose(oracle.Bulyan, mean, Exact * Largest(oracle.Bulyan));
    }

    // PITFALLS 35.
    [Theory]
    [MemberData(nameof(Names))]
    public void GeometricMedian_EveryMatrix_IsAsGoodAsNumpys(string name)
    {
        var oracle = RobustOracle.Named(name);

        var found = GeometricMedian.Find(Blocks.Gram(oracle.Updates), f: 0);

        // The objective is flat around its minimum, so the value is compared, not the point; ours is smoothed.
        Assert.Null(found.Refusal);
        var point = Blocks.Combine(found.Weights, oracle.Updates);
        var objective = oracle.Updates.Average(update => Math.Sqrt(update.Zip(point).Sum(pair => Math.Pow(pair.First - pair.Second, 2))));
        Assert.Equal(oracle.GeometricObjective, objective, 1e-9 * oracle.GeometricObjective);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void CenteredClipping_EveryMatrix_IsNumpys(string name)
    {
        var oracle = RobustOracle.Named(name);
        float[][] rows = [.. oracle.Updates, new float[oracle.Clipped.Length]];

        var found = CenteredClipping.Find(Blocks.Gram(rows), oracle.F, oracle.ClipRadius, iterations: 5);

        AssertClose(oracle.Clipped, Blocks.Combine(found.Weights, rows), ByGram * oracle.ClipRadius);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void FlTrust_EveryMatrix_IsNumpys(string name)
    {
        var oracle = RobustOracle.Named(name);
        float[][] rows = [.. oracle.Updates, oracle.Root, new float[oracle.Root.Length]];

        var found = FlTrust.Find(Blocks.Gram(rows));

        AssertClose(oracle.Trusted, Blocks.Combine(found.Weights, oracle.Updates), ByGram * Largest(oracle.Trusted));
    }

    // PITFALLS 36.
    [Theory]
    [MemberData(nameof(Names))]
    public void NearestNeighbours_ThenMedian_IsNumpys(string name)
    {
        var oracle = RobustOracle.Named(name);
        var mixing = Mixings.NearestNeighbours(Blocks.Gram(oracle.Updates), oracle.F);
        var median = new double[oracle.MixedMedian.Length];

        Assert.True(ColumnOrder.ForMedian(oracle.Updates.Length, mixing).TryMedian(Blocks.Tile(oracle.Updates), median));

        // Mixed rows are rounded to float32 before they are sorted.
        AssertClose(oracle.MixedMedian, median, 1e-6 * Largest(oracle.MixedMedian));
    }

    private static int[] Chosen(ClientWeighting choice)
    {
        Assert.Null(choice.Refusal);
        return [.. choice.Weights.Index().Where(weight => weight.Item != 0).Select(weight => weight.Index)];
    }

    private static double Largest(double[] values) => values.Max(Math.Abs);

    private static void AssertClose(double[] expected, double[] actual, double within) =>
        Assert.All(expected.Zip(actual), pair => Assert.InRange(Math.Abs(pair.First - pair.Second), 0, within));
}
