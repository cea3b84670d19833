using FedServerless.Aggregation;

namespace FedServerless.Core.Tests.Aggregation;

public class BufferMeanTests
{
    [Fact]
    public void TryRound_FiniteMean_RoundsToNearestEven()
    {
        var values = new float[3];

        Assert.True(BufferMean.TryRound([0.1, 16_777_217, 16_777_219], values));

        Assert.Equal([0.1f, 16_777_216f, 16_777_220f], values);
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.NegativeInfinity)]
    [InlineData(1e39)]
    public void TryRound_ResultNotFinite_IsReported(double mean) => Assert.False(BufferMean.TryRound([1, mean, 1], new float[3]));

    [Fact]
    public void TryRound_AnotherLength_Throws() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => BufferMean.TryRound([1, 2], new float[3]));
}

public class IntegerMaximumTests
{
    [Fact]
    public void Accumulate_AnyOrder_KeepsTheLargest()
    {
        long[] maximum = [0, long.MinValue, -5];

        IntegerMaximum.Accumulate([3, long.MaxValue, -7], maximum);
        IntegerMaximum.Accumulate([2, 1, -6], maximum);

        Assert.Equal([3, long.MaxValue, -5], maximum);
    }

    [Fact]
    public void Accumulate_AnotherLength_Throws() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => IntegerMaximum.Accumulate([1, 2], new long[3]));
}
