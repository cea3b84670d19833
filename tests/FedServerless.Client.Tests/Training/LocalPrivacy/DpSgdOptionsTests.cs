using FedServerless.Client.Training;
using FedServerless.Privacy;

namespace FedServerless.Client.Tests.Training.LocalPrivacy;

public sealed class DpSgdOptionsTests
{
    private static readonly DpSgdOptions Valid = new()
    {
        LedgerFile = "ledger",
        Samples = 1000,
        SamplingRate = 0.1,
        ClipNorm = 1,
        NoiseMultiplier = 1,
        Budget = new PrivacySpend(3, 1e-5),
    };

    public static TheoryData<string, DpSgdOptions> Wrong => new()
    {
        { "LedgerFile", Valid with { LedgerFile = " " } },
        { "Samples", Valid with { Samples = 0 } },
        { "SamplingRate", Valid with { SamplingRate = 0 } },
        { "SamplingRate", Valid with { SamplingRate = 1.0000001 } },
        { "SamplingRate", Valid with { SamplingRate = double.NaN } },
        { "ClipNorm", Valid with { ClipNorm = 0 } },
        { "ClipNorm", Valid with { ClipNorm = double.NaN } },
        { "ClipNorm", Valid with { ClipNorm = 1.0000001e12 } },
        { "NoiseMultiplier", Valid with { NoiseMultiplier = 0 } },
        { "NoiseMultiplier", Valid with { NoiseMultiplier = 0.0099 } },
        { "NoiseMultiplier", Valid with { NoiseMultiplier = double.NaN } },
        { "NoiseMultiplier", Valid with { NoiseMultiplier = 1_000_001 } },
        { "Budget.Epsilon", Valid with { Budget = new(0, 1e-5) } },
        { "Budget.Epsilon", Valid with { Budget = new(double.PositiveInfinity, 1e-5) } },
        { "Budget.Epsilon", Valid with { Budget = new(double.NaN, 1e-5) } },
        { "Budget.Delta", Valid with { Budget = new(3, 0) } },
        { "Budget.Delta", Valid with { Budget = new(3, double.NaN) } },
        { "Budget.Delta", Valid with { Budget = new(3, 1e-3) } },
        { "MaxStepsPerRound", Valid with { MaxStepsPerRound = 0 } },
        { "MaxStepsPerRound", Valid with { MaxStepsPerRound = DpSgdOptions.LargestStepsPerRound + 1 } },
    };

    public static TheoryData<DpSgdOptions> AtTheLimits => new()
    {
        Valid,
        Valid with { Samples = 1 },
        Valid with { SamplingRate = 1, ClipNorm = 1e12, NoiseMultiplier = 1_000_000, MaxStepsPerRound = DpSgdOptions.LargestStepsPerRound },
        Valid with { SamplingRate = double.Epsilon, ClipNorm = 1e-12, NoiseMultiplier = 0.01, MaxStepsPerRound = 1 },
        Valid with { Budget = new(1e-9, 0.000999) },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public void Validate_OneWrong_NamesIt(string field, DpSgdOptions options)
    {
        Assert.Equal([field], options.Validate().Select(problem => problem.Field));
        Assert.Throws<ArgumentException>(() => new DpSgd(options));
    }

    [Theory]
    [MemberData(nameof(AtTheLimits))]
    public void Validate_AtTheLimits_FindsNothing(DpSgdOptions options) => Assert.Empty(options.Validate());

    [Fact]
    public void Validate_SeveralWrong_NamesAll() =>
        Assert.Equal(4, (Valid with { Samples = 0, ClipNorm = 0, NoiseMultiplier = 0, SamplingRate = 2 }).Validate().Count);
}
