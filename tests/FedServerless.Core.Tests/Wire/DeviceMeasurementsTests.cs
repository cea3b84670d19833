using FedServerless.Wire;

namespace FedServerless.Core.Tests.Wire;

public class DeviceMeasurementsTests
{
    public static TheoryData<string, Func<double, DeviceMeasurements>, double, double> Limits => new()
    {
        { "upBytesPerSecond", v => new() { UpBytesPerSecond = v }, DeviceMeasurements.MinRate, DeviceMeasurements.MaxRate },
        { "downBytesPerSecond", v => new() { DownBytesPerSecond = v }, DeviceMeasurements.MinRate, DeviceMeasurements.MaxRate },
        { "latencySeconds", v => new() { LatencySeconds = v }, DeviceMeasurements.MinLatency, DeviceMeasurements.MaxLatency },
        { "secondsPerSample", v => new() { SecondsPerSample = v }, DeviceMeasurements.MinSecondsPerSample, DeviceMeasurements.MaxSecondsPerSample },
    };

    [Theory]
    [MemberData(nameof(Limits))]
    public void Validate_Number_IsLegalAtItsLimitsAndNotBeyond(string field, Func<double, DeviceMeasurements> with, double least, double most)
    {
        Assert.Equal($"m.{field}", Assert.Single(with(Math.BitDecrement(least)).Validate("m")).Field);
        Assert.Empty(with(least).Validate("m"));
        Assert.Empty(with(Math.BitIncrement(least)).Validate("m"));
        Assert.Empty(with(Math.BitDecrement(most)).Validate("m"));
        Assert.Empty(with(most).Validate("m"));
        Assert.Equal($"m.{field}", Assert.Single(with(Math.BitIncrement(most)).Validate("m")).Field);
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(1, true)]
    [InlineData(RunLimits.MaxSamples, true)]
    [InlineData(RunLimits.MaxSamples + 1, false)]
    public void Validate_Samples_AreBounded(long samples, bool isLegal) => Assert.Equal(isLegal, new DeviceMeasurements { Samples = samples }.Validate("m").Count == 0);

    [Theory]
    [InlineData(DeviceMeasurements.MinMemory - 1, false)]
    [InlineData(DeviceMeasurements.MinMemory, true)]
    [InlineData(DeviceMeasurements.MaxMemory, true)]
    [InlineData(DeviceMeasurements.MaxMemory + 1, false)]
    public void Validate_Memory_IsBounded(long memory, bool isLegal) => Assert.Equal(isLegal, new DeviceMeasurements { MemoryBytes = memory }.Validate("m").Count == 0);

    [Theory]
    [InlineData(123_456.0, 120_000.0)]
    [InlineData(0.0, 1.0)]
    [InlineData(-5.0, 1.0)]
    [InlineData(double.PositiveInfinity, 1e11)]
    [InlineData(double.NaN, null)]
    [InlineData(null, null)]
    public void Coarse_Rate_HasTwoDigitsWithinTheBounds(double? rate, double? told)
    {
        var coarse = new DeviceMeasurements { UpBytesPerSecond = rate }.Coarse();

        Assert.Equal(told, coarse.UpBytesPerSecond);
        Assert.Empty(coarse.Validate("m"));
    }

    [Theory]
    [InlineData(1L << 30, 1L << 30)]
    [InlineData((1L << 31) - 1, 1L << 30)]
    [InlineData(0L, 1L << 20)]
    [InlineData(long.MaxValue, 1L << 44)]
    public void Coarse_Memory_IsAPowerOfTwo(long memory, long told) => Assert.Equal(told, new DeviceMeasurements { MemoryBytes = memory }.Coarse().MemoryBytes);

    [Fact]
    public void Coarse_Samples_HaveTwoDigits() => Assert.Equal(12_000, new DeviceMeasurements { Samples = 12_345 }.Coarse().Samples);
}
