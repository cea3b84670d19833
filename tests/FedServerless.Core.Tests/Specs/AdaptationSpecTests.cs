using System.Text;
using FedServerless.Wire;

namespace FedServerless.Core.Tests.Specs;

public class AdaptationSpecTests
{
    private static readonly RunSpec Legal = new() { Model = "digits", Rounds = 10 };

    public static TheoryData<string, AdaptationSpec> Illegal => new()
    {
        { "adaptation.maxEpochs", new() { MinEpochs = 1 } },
        { "adaptation.minEpochs", new() { MaxEpochs = 1 } },
        { "adaptation.minEpochs", new() { MinEpochs = 0, MaxEpochs = 1 } },
        { "adaptation.maxEpochs", new() { MinEpochs = 1, MaxEpochs = RunLimits.MaxEpochs + 1 } },
        { "adaptation.minEpochs", new() { MinEpochs = 3, MaxEpochs = 2 } },
        { "adaptation.minBatchSize", new() { MinBatchSize = 0, MaxBatchSize = 1 } },
        { "adaptation.maxBatchSize", new() { MinBatchSize = 1, MaxBatchSize = RunLimits.MaxBatchSize + 1 } },
        { "adaptation.minBatchSize", new() { MinBatchSize = 3, MaxBatchSize = 2 } },
        { "adaptation.targetSeconds", new() { TargetSeconds = 0 } },
        { "adaptation.targetSeconds", new() { TargetSeconds = 600.5 } },
        { "adaptation.targetSeconds", new() { TargetSeconds = double.NaN } },
        { "adaptation.minIntervalSeconds", new() { MinIntervalSeconds = -1 } },
        { "adaptation.minIntervalSeconds", new() { MinIntervalSeconds = RunLimits.MaxRestSeconds + 1 } },
        { "adaptation.maxBytesPerDay", new() { MaxBytesPerDay = 0 } },
        { "adaptation.maxBytesPerDay", new() { MaxBytesPerDay = RunLimits.MaxBytesPerDay + 1 } },
        { "adaptation.codecs", new() { Codecs = ["int8"] } },
        { "adaptation.codecs[1]", new() { Codecs = ["float32", "gzip"] } },
        { "adaptation.codecs[1]", new() { Codecs = ["float32", "float32"] } },
        { "adaptation.codecs", new() { Codecs = [.. Enumerable.Repeat("float32", RunLimits.MaxCodecs + 1)] } },
    };

    public static TheoryData<AdaptationSpec> AtTheLimits => new()
    {
        new AdaptationSpec(),
        new AdaptationSpec { MinEpochs = 1, MaxEpochs = RunLimits.MaxEpochs },
        new AdaptationSpec { MinEpochs = RunLimits.MaxEpochs, MaxEpochs = RunLimits.MaxEpochs },
        new AdaptationSpec { MinBatchSize = 1, MaxBatchSize = RunLimits.MaxBatchSize },
        new AdaptationSpec { TargetSeconds = 600 },
        new AdaptationSpec { TargetSeconds = double.Epsilon },
        new AdaptationSpec { MinIntervalSeconds = 0, MaxBytesPerDay = 1 },
        new AdaptationSpec { MinIntervalSeconds = RunLimits.MaxRestSeconds, MaxBytesPerDay = RunLimits.MaxBytesPerDay },
        new AdaptationSpec { Codecs = ["float32", "float16", "int8"] },
    };

    [Theory]
    [MemberData(nameof(Illegal))]
    public void Validate_OutOfBounds_NamesTheField(string field, AdaptationSpec adaptation) =>
        Assert.Equal(field, Assert.Single(RunSpecValidator.Validate(Legal with { Adaptation = adaptation })).Field);

    [Theory]
    [MemberData(nameof(AtTheLimits))]
    public void Validate_AtTheLimits_IsLegal(AdaptationSpec adaptation) => Assert.Empty(RunSpecValidator.Validate(Legal with { Adaptation = adaptation }));

    [Fact]
    public void Validate_CodecThatTheRuleCannotCompare_IsRefusedWithTheReason()
    {
        var spec = Legal with { Aggregation = new() { Rule = "median" }, Adaptation = new() { Codecs = ["float32", "top-k-int8"] } };

        var problem = Assert.Single(RunSpecValidator.Validate(spec));

        Assert.Equal("adaptation.codecs[1]", problem.Field);
        Assert.Contains("update.codec", problem.Expected, StringComparison.Ordinal);
    }

    [Fact]
    public void Validate_ErrorFeedbackWithACodecThatLosesNothing_IsRefused()
    {
        var spec = Legal with { Update = new() { Codec = "int8", ErrorFeedback = true }, Adaptation = new() { Codecs = ["float32", "int8"] } };

        Assert.Equal("adaptation.codecs[0]", Assert.Single(RunSpecValidator.Validate(spec)).Field);
    }

    [Theory]
    [InlineData("scaffold", false)]
    [InlineData("feddyn", false)]
    [InlineData("fednova", true)]
    public void Validate_EpochsBesideASolver_AreForThoseThatReckonWithSteps(string solver, bool isLegal)
    {
        var training = new TrainingSpec { Solver = solver, ProximalMu = solver == "feddyn" ? 0.1 : 0 };
        var spec = Legal with { Training = training, Aggregation = new() { Weighting = "uniform" }, Adaptation = new() { MinEpochs = 1, MaxEpochs = 2 } };

        Assert.Equal(isLegal ? [] : ["adaptation.minEpochs"], RunSpecValidator.Validate(spec).Select(problem => problem.Field));
    }

    [Fact]
    public void Validate_FullBatch_HasNoBatchToAdapt()
    {
        var spec = Legal with { Training = new() { BatchSize = 0 }, Adaptation = new() { MinBatchSize = 1, MaxBatchSize = 2 } };

        Assert.Equal("adaptation.minBatchSize", Assert.Single(RunSpecValidator.Validate(spec)).Field);
    }

    [Fact]
    public void TryParse_WithPrivacy_IsRefusedWithTheReason()
    {
        var json = """{"model":"m","rounds":3,"privacy":{"level":"balanced","clients":100000},"adaptation":{"minEpochs":1,"maxEpochs":2}}""";

        Assert.False(RunSpecJson.TryParse(Encoding.UTF8.GetBytes(json), out _, out var problems));

        Assert.Contains("which no noise covers", Assert.Single(problems).Expected, StringComparison.Ordinal);
    }

    [Fact]
    public void TryParse_WithPrivacy_PartSizesAreTheLinksAndAllowed()
    {
        var json = """{"model":"m","rounds":3,"privacy":{"level":"balanced","clients":100000},"update":{"minPartBytes":262144}}""";

        Assert.True(RunSpecJson.TryParse(Encoding.UTF8.GetBytes(json), out var spec, out var problems), string.Join(' ', problems));

        Assert.Equal(262_144, spec.Update.MinPartBytes);
    }

    [Theory]
    [InlineData((256 << 10) - 1, false)]
    [InlineData(256 << 10, true)]
    [InlineData(4 << 20, true)]
    [InlineData((4 << 20) + 1, false)]
    public void Validate_MinPartBytes_IsAtMostPartBytes(int least, bool isLegal) =>
        Assert.Equal(isLegal, RunSpecValidator.Validate(Legal with { Update = new() { MinPartBytes = least } }).Count == 0);

    [Fact]
    public void TryParse_Policy_KeepsWhatWasWritten()
    {
        var json = """{"model":"m","rounds":3,"adaptation":{"minEpochs":2,"maxEpochs":4,"maxBytesPerDay":1000000}}""";

        Assert.True(RunSpecJson.TryParse(Encoding.UTF8.GetBytes(json), out var spec, out var problems), string.Join(' ', problems));

        Assert.Equal((2, 4, 1_000_000L, 0), (spec.Adaptation!.MinEpochs, spec.Adaptation.MaxEpochs, spec.Adaptation.MaxBytesPerDay, spec.Adaptation.Codecs.Count));
    }
}
