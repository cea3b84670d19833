using FedServerless.Adaptation;
using FedServerless.Numerics;
using FedServerless.Wire;

namespace FedServerless.Core.Tests.Adaptation;

/// <summary>Expected values are worked out by hand from the formulas in docs/concepts/adaptivity.md.</summary>
public class AdaptationPolicyTests
{
    private static readonly AdaptationSpec Policy = new() { MinEpochs = 1, MaxEpochs = 20, MinBatchSize = 8, MaxBatchSize = 128, TargetSeconds = 100 };

    private static readonly RoundLoad Load = new(new TrainingSpec { Epochs = 5, BatchSize = 32 }, 600, 1_000_000, 1_000_000, 200_000);

    private static readonly DeviceMeasurements Measured = new()
    {
        UpBytesPerSecond = 10_000,
        DownBytesPerSecond = 100_000,
        LatencySeconds = 2,
        SecondsPerSample = 0.01,
        Samples = 500,
        MemoryBytes = 16_000_000,
    };

    [Fact]
    public void Choose_NoBoundsAndNothingMeasured_IsTheOperatorsTraining() =>
        Assert.Equal(new LeaseChoice(5, 32, 0), AdaptationPolicy.Choose(new AdaptationSpec(), Load, null));

    // Transfers: 5 · 2 s + 1 000 000 / 100 000 + 200 000 / 10 000 = 40 s; 60 s are left, a pass takes 5 s.
    [Fact]
    public void Choose_EverythingMeasured_TakesAsManyPassesAsFitTheTarget() => Assert.Equal(12, AdaptationPolicy.Choose(Policy, Load, Measured).Epochs);

    // Half of the 600 s deadline: 260 s left, 52 passes.
    [Fact]
    public void Choose_NoTarget_GoesByHalfTheDeadline() =>
        Assert.Equal(52, AdaptationPolicy.Choose(Policy with { TargetSeconds = null, MaxEpochs = 100 }, Load, Measured).Epochs);

    [Theory]
    [InlineData(0.06, 2)]
    [InlineData(0.0601, 1)]
    [InlineData(1, 1)]
    [InlineData(0.006, 20)]
    [InlineData(0.00001, 20)]
    public void Choose_SlowAndFastDevices_StayWithinTheBounds(double secondsPerSample, int epochs) =>
        Assert.Equal(epochs, AdaptationPolicy.Choose(Policy, Load, Measured with { SecondsPerSample = secondsPerSample }).Epochs);

    [Fact]
    public void Choose_LinkTooSlowForTheTarget_TakesTheFewestPasses() =>
        Assert.Equal(1, AdaptationPolicy.Choose(Policy, Load, Measured with { UpBytesPerSecond = 1 }).Epochs);

    [Theory]
    [InlineData(3, 10, 5)]
    [InlineData(6, 10, 6)]
    [InlineData(1, 4, 4)]
    public void Choose_TimeNotMeasured_TakesTheOperatorsEpochsWithinTheBounds(int least, int most, int epochs) => Assert.Equal(
        epochs, AdaptationPolicy.Choose(Policy with { MinEpochs = least, MaxEpochs = most }, Load, Measured with { SecondsPerSample = null }).Epochs);

    // 16 models fit into 16 MB: all of 128. With half of the memory half of the batch.
    [Theory]
    [InlineData(16_000_000, 128)]
    [InlineData(15_999_999, 64)]
    [InlineData(8_000_000, 64)]
    [InlineData(7_999_999, 32)]
    [InlineData(1_100_000, 8)]
    [InlineData(1_048_576, 8)]
    [InlineData(1L << 40, 128)]
    public void Choose_Memory_HalvesTheBatchUntilItFits(long memory, int batch) =>
        Assert.Equal(batch, AdaptationPolicy.Choose(Policy, Load, Measured with { MemoryBytes = memory }).BatchSize);

    [Fact]
    public void Choose_MemoryNotMeasured_TakesTheOperatorsBatch() =>
        Assert.Equal(32, AdaptationPolicy.Choose(Policy, Load, Measured with { MemoryBytes = null }).BatchSize);

    // 1.2 MB of 12 MB a day: every tenth of a day.
    [Theory]
    [InlineData(null, 12_000_000L, 8640)]
    [InlineData(3600.0, 12_000_000L, 8640)]
    [InlineData(10_000.0, 12_000_000L, 10_000)]
    [InlineData(60.0, null, 60)]
    [InlineData(null, 1L, 86_400)]
    [InlineData(null, null, 0)]
    public void Choose_IntervalAndBytesADay_TheLongerRestCounts(double? interval, long? bytes, double rest)
    {
        var choice = AdaptationPolicy.Choose(Policy with { MinIntervalSeconds = interval, MaxBytesPerDay = bytes }, Load, Measured);

        Assert.Equal((rest, bytes), (choice.RestSeconds, choice.MaxBytesPerDay));
    }

    [Fact]
    public void Choose_AnyMeasurements_StaysWithinTheBoundsAndRepeats()
    {
        var random = new DeterministicRandom(7);
        for (var i = 0; i < 20_000; i++)
        {
            var policy = Policy with
            {
                MinEpochs = Whole(1, 10), MaxEpochs = Whole(10, 1000), MinBatchSize = Whole(1, 100), MaxBatchSize = Whole(100, 100_000), TargetSeconds = Any(-2, 6),
            };
            var measured = new DeviceMeasurements
            {
                UpBytesPerSecond = Maybe(0, 11), DownBytesPerSecond = Maybe(0, 11), LatencySeconds = Maybe(-6, 2.7), SecondsPerSample = Maybe(-9, 5),
                Samples = (long?)Maybe(0, 9), MemoryBytes = (long?)Maybe(6.1, 13.2),
            };
            Assert.Empty(measured.Validate(""));

            var choice = AdaptationPolicy.Choose(policy, Load, measured);

            Assert.InRange(choice.Epochs, policy.MinEpochs!.Value, policy.MaxEpochs!.Value);
            Assert.InRange(choice.BatchSize, policy.MinBatchSize!.Value, policy.MaxBatchSize!.Value);
            Assert.Equal(choice, AdaptationPolicy.Choose(policy with { }, Load with { }, measured with { }));
            if (measured.SecondsPerSample is { } slow)
            {
                Assert.True(AdaptationPolicy.Choose(policy, Load, measured with { SecondsPerSample = slow / 2 }).Epochs >= choice.Epochs, $"{measured}");
            }

            if (measured.MemoryBytes is { } memory)
            {
                Assert.True(AdaptationPolicy.Choose(policy, Load, measured with { MemoryBytes = memory * 2 }).BatchSize >= choice.BatchSize, $"{measured}");
            }
        }

        double Any(double low, double high) => Math.Pow(10, low + ((high - low) * random.NextDouble()));

        int Whole(int low, int high) => low + (int)(random.NextDouble() * (high - low));

        double? Maybe(double low, double high) => random.NextDouble() < 0.2 ? null : Any(low, high);
    }

    [Theory]
    [InlineData(1000, "float32")]
    [InlineData(999, "int8")]
    [InlineData(250, "int8")]
    [InlineData(249, "top-k")]
    [InlineData(1, "top-k")]
    public void ChooseCodec_TenthSlowestUplink_Decides(double slow, string codec) =>
        Assert.Equal(codec, Codec(cohort: 11, [1e6, slow, .. Enumerable.Repeat(1e6, 8), 1]));

    // How many of so many may be slow: none of one or two, one from three on, a tenth from ten on.
    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, 0)]
    [InlineData(3, 1)]
    [InlineData(9, 1)]
    [InlineData(10, 1)]
    [InlineData(19, 1)]
    [InlineData(20, 2)]
    [InlineData(29, 2)]
    [InlineData(70, 7)]
    public void ChooseCodec_SlowOnes_DecideWhenTheyAreMoreThanATenth(int measured, int slow)
    {
        Assert.Equal("float32", Codec(measured, Uplinks(slow)));
        Assert.Equal("top-k", Codec(measured, Uplinks(slow + 1)));

        double[] Uplinks(int slow) => [.. Enumerable.Repeat(1.0, slow), .. Enumerable.Repeat(1e6, measured - slow)];
    }

    // The usual codec is int8; those who have measured are so fast that float32 suits them.
    [Theory]
    [InlineData(4, 1, "int8")]
    [InlineData(4, 2, "float32")]
    [InlineData(5, 2, "int8")]
    [InlineData(5, 3, "float32")]
    [InlineData(1, 1, "float32")]
    [InlineData(1_000_000, 9, "int8")]
    [InlineData(1_000_000, 10, "float32")]
    public void ChooseCodec_FewHaveMeasured_IsTheUsual(int cohort, int measured, string codec) =>
        Assert.Equal(codec, Codec(cohort, [.. Enumerable.Repeat(1e6, measured)]));

    [Fact]
    public void ChooseCodec_AnyOrder_IsTheSame()
    {
        var random = new DeterministicRandom(1);
        var uplinks = Enumerable.Range(0, 40).Select(_ => Math.Pow(10, 6 * random.NextDouble())).ToArray();

        Assert.Equal(Codec(40, uplinks), Codec(40, [.. uplinks.Reverse()]));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    public void ChooseCodec_NobodyMeasured_IsTheUsual(int cohort) => Assert.Equal("int8", Codec(cohort, []));

    [Fact]
    public void ChooseCodec_NoList_IsTheUsual() => Assert.Equal("int8", AdaptationPolicy.ChooseCodec(new AdaptationSpec(), "int8", 16, 1, [1], _ => long.MaxValue));

    // 4 s for 4000, 1000 or 400 bytes, of a target of 16 s.
    private static string Codec(int cohort, double[] uplinks) => AdaptationPolicy.ChooseCodec(
        new AdaptationSpec { Codecs = ["float32", "int8", "top-k"] }, "int8", 16, cohort, uplinks, name => name switch { "float32" => 4000, "int8" => 1000, _ => 400 });
}
