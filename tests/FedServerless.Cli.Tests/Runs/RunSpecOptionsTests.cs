using System.CommandLine;
using FedServerless.Cli.Runs;
using FedServerless.Wire;

namespace FedServerless.Cli.Tests.Runs;

public sealed class RunSpecOptionsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("fed-spec-test-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Build_ModelAndRoundsOnly_LeavesEveryDefault() =>
        Assert.Equal(new RunSpec { Model = "press", Rounds = 5 }, Build("--model press --rounds 5"));

    [Fact]
    public void Build_EveryOption_SetsItsField()
    {
        var spec = Build(
            "--model press --population plant --architecture mlp:4-3-2 --rounds 7 --seed -9 --clients 6 --min-clients 2 --quorum 5 --deadline 15m " +
            "--epochs 3 --batch 0 --lr 0.05 --momentum 0.9 --proximal-mu 0.01 --codec top-k-int8 --keep 0.02 --warm-up 5 --rounding stochastic --error-feedback --optimizer fedadam --server-lr 0.02 --max-norm 10");

        Assert.Equal(("press", "plant", 7, -9L), (spec.Model, spec.Population, spec.Rounds, spec.Seed));
        Assert.Equal(("mlp", 4, 3, 2), (spec.Architecture!.Name, spec.Architecture.Inputs, Assert.Single(spec.Architecture.Hidden), spec.Architecture.Outputs));
        Assert.Equal(new SelectionSpec { Kind = "uniform", Clients = 6 }, spec.Selection);
        Assert.Equal(new RoundSpec { Minimum = 2, Quorum = 5, DeadlineSeconds = 900 }, spec.Round);
        Assert.Equal(new TrainingSpec { Epochs = 3, BatchSize = 0, LearningRate = 0.05, Momentum = 0.9, ProximalMu = 0.01 }, spec.Training);
        Assert.Equal(new OptimizerSpec { Name = "fedadam", LearningRate = 0.02 }, spec.Optimizer);
        Assert.Equal(new UpdateSpec { Codec = "top-k-int8", Keep = 0.02, WarmUpRounds = 5, Rounding = "stochastic", ErrorFeedback = true }, spec.Update);
        Assert.Equal(10.0, spec.Aggregation.MaxNorm);
    }

    [Theory]
    [InlineData("scaffold", "", "uniform")]
    [InlineData("feddyn", " --proximal-mu 0.1", "uniform")]
    [InlineData("fednova", "", "samples")]
    public void Build_Solver_SetsTheWeightingItNeeds(string solver, string more, string weighting)
    {
        var spec = Build($"--model press --rounds 5 --solver {solver}{more}");
        Assert.Equal((solver, weighting), (spec.Training.Solver, spec.Aggregation.Weighting));
    }

    [Fact]
    public void Build_FileAndOptions_OptionsWin()
    {
        var path = Write("""{"model":"press","rounds":5,"training":{"epochs":4,"learningRate":0.5},"retainUpdates":true}""");

        var spec = Build($"--spec {path} --rounds 9 --lr 0.25");

        Assert.Equal((9, 4, 0.25, true), (spec.Rounds, spec.Training.Epochs, spec.Training.LearningRate, spec.RetainUpdates));
    }

    [Fact]
    public void Build_FileWithMisspeltField_ListsEveryProblem()
    {
        var path = Write("""{"model":"press","rounds":5,"raundz":1,"training":{"epochs":0}}""");

        var refused = Assert.Throws<CommandException>(() => Build($"--spec {path}"));

        Assert.Equal(ExitCodes.Usage, refused.ExitCode);
        Assert.Contains("raundz", refused.Message, StringComparison.Ordinal);
        Assert.Contains("training.epochs", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Build_FileIsMissing_SaysWhich() =>
        Assert.Contains("nowhere.json", Assert.Throws<CommandException>(() => Build("--spec nowhere.json")).Message, StringComparison.Ordinal);

    [Fact]
    public void Build_ValuesOutOfRange_ListsEveryProblemOnALine()
    {
        var refused = Assert.Throws<CommandException>(() => Build("--model press --rounds 0 --lr 0 --epochs 0"));

        Assert.Equal(ExitCodes.Usage, refused.ExitCode);
        Assert.Equal(4, refused.Message.Split(Environment.NewLine).Length);
    }

    [Theory]
    [InlineData("--rounds 5")]
    [InlineData("--model press")]
    public void Build_NeitherFileNorModelAndRounds_SaysWhatIsNeeded(string line) =>
        Assert.Contains("--spec FILE", Assert.Throws<CommandException>(() => Build(line)).Message, StringComparison.Ordinal);

    // What the server makes of the same words in JSON: the two must not drift apart.
    [Fact]
    public void Build_PrivacyLevel_FillsWhatTheServerWouldFill()
    {
        var path = Write("""{"model":"press","rounds":5,"privacy":{"level":"balanced","clients":1000}}""");

        var spec = Build("--model press --rounds 5 --privacy balanced --privacy-clients 1000");

        Assert.Equal(Build($"--spec {path}"), spec);
        Assert.Equal(("poisson", 0.1, 0, "uniform"), (spec.Selection.Kind, spec.Selection.Rate!.Value, spec.Selection.QuarantineAfter, spec.Aggregation.Weighting));
    }

    [Fact]
    public void Build_PrivacyInNumbers_SetsEach()
    {
        var spec = Build("--model press --rounds 5 --privacy 2.5 --privacy-clients 1000 --privacy-rate 0.02 --privacy-delta 1e-5 --privacy-clip 0.5");

        Assert.Equal(new PrivacySpec { Epsilon = 2.5, Clients = 1000, Delta = 1e-5, Clip = 0.5 }, spec.Privacy);
        Assert.Equal(0.02, spec.Selection.Rate);
    }

    [Fact]
    public void Build_PrivacyNoise_SetsTheMultiplier() =>
        Assert.Equal(new PrivacySpec { NoiseMultiplier = 1.5, Clients = 50 }, Build("--model press --rounds 5 --privacy-noise 1.5 --privacy-clients 50").Privacy);

    [Fact]
    public void Build_PrivacyWithAFixedCohort_KeepsIt() =>
        Assert.Equal(
            new SelectionSpec { Kind = "uniform", Clients = 20, QuarantineAfter = 0 },
            Build("--model press --rounds 5 --clients 20 --privacy 3 --privacy-clients 50").Selection);

    [Fact]
    public void Build_PrivateFileAndAnotherLevel_OptionWins()
    {
        var path = Write("""{"model":"press","rounds":5,"privacy":{"level":"balanced","clients":1000},"selection":{"kind":"poisson","rate":0.5}}""");

        var spec = Build($"--spec {path} --privacy 1.5 --privacy-clients 500");

        Assert.Equal(new PrivacySpec { Epsilon = 1.5, Clients = 500 }, spec.Privacy);
        Assert.Equal(0.5, spec.Selection.Rate);
    }

    [Theory]
    [InlineData("--privacy balanced", "needs --privacy-clients N")]
    [InlineData("--privacy-clients 50", "--privacy-clients says how; --privacy or --privacy-noise says that a run is private")]
    [InlineData("--privacy-clip 0.5", "--privacy-clip says how")]
    [InlineData("--privacy balanced --privacy-noise 1 --privacy-clients 50", "exactly one of level, epsilon and noiseMultiplier")]
    [InlineData("--privacy 2 --privacy-clients 50 --privacy-delta 0.02", "publishing one client at random keeps a δ of 1/N")]
    [InlineData("--privacy 2 --privacy-clients 50 --privacy-clip 0", "privacy.clip")]
    [InlineData("--privacy 2 --privacy-clients 50 --privacy-clip NaN", "privacy.clip")]
    [InlineData("--privacy-noise 0 --privacy-clients 50", "privacy.noiseMultiplier")]
    [InlineData("--privacy 2 --privacy-clients 0", "privacy.clients")]
    [InlineData("--privacy 2 --privacy-clients 50 --max-norm 5", "updates are clipped, never refused for their norm")]
    [InlineData("--privacy 2 --privacy-clients 50 --quorum 5", "a private round waits for its deadline")]
    public void Build_PrivacyThatCannotBe_SaysWhy(string options, string message)
    {
        var refused = Assert.Throws<CommandException>(() => Build($"--model press --rounds 5 {options}"));

        Assert.Equal(ExitCodes.Usage, refused.ExitCode);
        Assert.Contains(message, refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("none")]
    [InlineData("0")]
    [InlineData("-1")]
    [InlineData("NaN")]
    [InlineData("101")]
    public void Parse_PrivacyIsNoLevelAndNoEpsilon_IsRefused(string value) => Assert.Contains(
        "expected strict, balanced, light, or an epsilon", Assert.Single(Command(new RunSpecOptions()).Parse(["--privacy", value]).Errors).Message, StringComparison.Ordinal);

    [Fact]
    public void Build_EveryAdaptOption_SetsItsField()
    {
        var spec = Build(
            "--model press --rounds 5 --adapt-epochs 1-5 --adapt-batch 8-64 --adapt-codecs float32,int8 --deadline 1h --adapt-target 15m --adapt-interval 2h " +
            "--adapt-bytes-per-day 50000000 --min-part-bytes 262144");

        var expected = new AdaptationSpec { MinEpochs = 1, MaxEpochs = 5, MinBatchSize = 8, MaxBatchSize = 64, TargetSeconds = 900, MinIntervalSeconds = 7200, MaxBytesPerDay = 50_000_000 };
        Assert.Equal(["float32", "int8"], spec.Adaptation!.Codecs);
        Assert.Equal(expected, spec.Adaptation with { Codecs = expected.Codecs });
        Assert.Equal(262_144, spec.Update.MinPartBytes);
    }

    [Fact]
    public void Build_NoAdaptOption_AdaptsToNobody()
    {
        Assert.Null(Build("--model press --rounds 5").Adaptation);

        // Parts are the client's own matter and no adaptation: a private run may have it.
        Assert.Null(Build("--model press --rounds 5 --min-part-bytes 262144 --privacy 2 --privacy-clients 50").Adaptation);
    }

    [Fact]
    public void Build_OneNumber_IsBothBounds()
    {
        var policy = Build("--model press --rounds 5 --adapt-epochs 3").Adaptation!;

        Assert.Equal((3, 3, null), (policy.MinEpochs, policy.MaxEpochs, policy.MinBatchSize));
    }

    // The first of the list, until enough clients have measured; what --codec or the list itself says of the spec's stands.
    [Theory]
    [InlineData("--adapt-codecs int8,top-k-int8", "int8")]
    [InlineData("--adapt-codecs int8,top-k-int8 --codec top-k-int8", "top-k-int8")]
    [InlineData("--adapt-codecs int8,float32", "float32")]
    [InlineData("--adapt-epochs 1-2", "float32")]
    public void Build_AdaptCodecs_UsualIsAmongThem(string options, string usual) =>
        Assert.Equal(usual, Build($"--model press --rounds 5 {options}").Update.Codec);

    [Fact]
    public void Build_AdaptingFileAndOptions_OptionsWin()
    {
        var path = Write("""{"model":"press","rounds":5,"adaptation":{"minEpochs":1,"maxEpochs":9,"minIntervalSeconds":60}}""");

        var policy = Build($"--spec {path} --adapt-epochs 2-4").Adaptation;

        Assert.Equal((2, 4, 60.0), (policy!.MinEpochs, policy.MaxEpochs, policy.MinIntervalSeconds));
    }

    [Theory]
    [InlineData("--adapt-epochs 0-3", "adaptation.minEpochs")]
    [InlineData("--adapt-batch 8-64 --batch 0", "all samples are one batch")]
    [InlineData("--adapt-target 2h --deadline 1h", "adaptation.targetSeconds")]
    [InlineData("--adapt-interval 25h", "adaptation.minIntervalSeconds")]
    [InlineData("--adapt-bytes-per-day 0", "adaptation.maxBytesPerDay")]
    [InlineData("--adapt-codecs int8,sign --codec float32", "update.codec ('float32') among them")]
    [InlineData("--min-part-bytes 262143", "update.minPartBytes")]
    [InlineData("--adapt-epochs 1-2 --solver scaffold", "its theorems are about clients that take the same steps")]
    [InlineData("--adapt-epochs 1-2 --privacy 2 --privacy-clients 50", "nothing with privacy")]
    public void Build_AdaptationThatCannotBe_SaysWhy(string options, string message)
    {
        var refused = Assert.Throws<CommandException>(() => Build($"--model press --rounds 5 {options}"));

        Assert.Equal(ExitCodes.Usage, refused.ExitCode);
        Assert.Contains(message, refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--adapt-epochs", "5-1", "--adapt-epochs is '5-1'; expected a least and a most, such as 1-5, or one number.")]
    [InlineData("--adapt-epochs", "1-2-3", "--adapt-epochs is '1-2-3'")]
    [InlineData("--adapt-batch", "-5", "--adapt-batch is '-5'")]
    [InlineData("--adapt-batch", "", "--adapt-batch is ''")]
    [InlineData("--adapt-batch", "1-99999999999", "--adapt-batch is '1-99999999999'")]
    [InlineData("--adapt-codecs", "int8,zip", "--adapt-codecs names 'zip'; expected float32, ")]
    [InlineData("--adapt-codecs", "int8,", "--adapt-codecs names ''")]
    [InlineData("--adapt-target", "15", "--adapt-target is '15'; expected a number and a unit")]
    public void Parse_AdaptOptionThatIsNone_IsRefused(string option, string value, string message) =>
        Assert.StartsWith(message, Assert.Single(Command(new RunSpecOptions()).Parse([option, value]).Errors).Message, StringComparison.Ordinal);

    private static Command Command(RunSpecOptions options)
    {
        var command = new Command("start");
        foreach (var option in options.All)
        {
            command.Add(option);
        }

        return command;
    }

    private RunSpec Build(string line)
    {
        var options = new RunSpecOptions();
        var parsed = Command(options).Parse(line.Split(' '));
        Assert.Empty(parsed.Errors);
        return options.Build(parsed, _folder);
    }

    private string Write(string json)
    {
        var path = Path.Combine(_folder, "spec.json");
        File.WriteAllText(path, json);
        return path;
    }
}
