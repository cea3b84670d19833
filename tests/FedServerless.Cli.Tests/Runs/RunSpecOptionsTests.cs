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
            "--epochs 3 --batch 0 --lr 0.05 --momentum 0.9 --proximal-mu 0.01 --codec int8 --optimizer fedadam --server-lr 0.02 --max-norm 10");

        Assert.Equal(("press", "plant", 7, -9L), (spec.Model, spec.Population, spec.Rounds, spec.Seed));
        Assert.Equal(("mlp", 4, 3, 2), (spec.Architecture!.Name, spec.Architecture.Inputs, Assert.Single(spec.Architecture.Hidden), spec.Architecture.Outputs));
        Assert.Equal(new SelectionSpec { Kind = "uniform", Clients = 6 }, spec.Selection);
        Assert.Equal(new RoundSpec { Minimum = 2, Quorum = 5, DeadlineSeconds = 900 }, spec.Round);
        Assert.Equal(new TrainingSpec { Epochs = 3, BatchSize = 0, LearningRate = 0.05, Momentum = 0.9, ProximalMu = 0.01 }, spec.Training);
        Assert.Equal(new OptimizerSpec { Name = "fedadam", LearningRate = 0.02 }, spec.Optimizer);
        Assert.Equal(("int8", 10.0), (spec.Update.Codec, spec.Aggregation.MaxNorm));
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

    private RunSpec Build(string line)
    {
        var options = new RunSpecOptions();
        var command = new Command("start");
        foreach (var option in options.All)
        {
            command.Add(option);
        }

        var parsed = command.Parse(line.Split(' '));
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
