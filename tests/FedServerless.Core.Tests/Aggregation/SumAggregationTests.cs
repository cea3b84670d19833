using FedServerless.Aggregation;

namespace FedServerless.Core.Tests.Aggregation;

public sealed class SumAggregationTests
{
    private static readonly ISumAggregator Rule = (ISumAggregator)Aggregators.Find(Aggregators.WeightedMean);

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public void Join_SumsMadeApart_AreAddedAsOneTerm(int dimension)
    {
        var parts = new[] { Fold(dimension, 1, 2), Fold(dimension, 3), Fold(dimension, 4, 5) };
        var joined = Rule.Begin(dimension);
        foreach (var part in parts)
        {
            joined.Join(Sum(part), part.Weight);
        }

        // Each element by hand, in the same order.
        for (var i = 0; i < dimension; i++)
        {
            Assert.Equal((Sum(parts[0])[i] + Sum(parts[1])[i]) + Sum(parts[2])[i], Sum(joined)[i]);
        }

        Assert.Equal(15, joined.Weight);
    }

    [Fact]
    public void Join_ToNothing_TakesTheSumOverBitByBit()
    {
        var part = Fold(3, 7, -7);
        var joined = Rule.Begin(3);
        joined.Join(Sum(part), part.Weight);

        Assert.Equal(Sum(part).Select(BitConverter.DoubleToInt64Bits), Sum(joined).Select(BitConverter.DoubleToInt64Bits));
    }

    [Fact]
    public void Join_OfOtherLengthOrWithoutWeight_IsRefused()
    {
        var joined = Rule.Begin(2);

        Assert.Throws<ArgumentOutOfRangeException>(() => joined.Join(new double[3], 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => joined.Join(new double[2], 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => joined.Join(new double[2], double.PositiveInfinity));
    }

    [Fact]
    public void CopySum_OfNothing_Throws() => Assert.Throws<InvalidOperationException>(() => Rule.Begin(1).CopySum(new double[1]));

    private static ISumAggregation Fold(int dimension, params int[] clients)
    {
        var fold = Rule.Begin(dimension);
        foreach (var client in clients)
        {
            fold.Add([.. Enumerable.Range(0, dimension).Select(i => client / (i + 3f))], Math.Abs(client));
        }

        return fold;
    }

    private static double[] Sum(ISumAggregation fold)
    {
        var sum = new double[fold.Dimension];
        fold.CopySum(sum);
        return sum;
    }
}
