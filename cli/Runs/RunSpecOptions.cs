using System.CommandLine;
using FedServerless.Compression;
using FedServerless.Optimization;
using FedServerless.Wire;

namespace FedServerless.Cli.Runs;

/// <summary>A run's specification from a file, from options, or from both: an option wins over the file.</summary>
internal sealed class RunSpecOptions
{
    private readonly Option<string?> _spec = new("--spec") { Description = "A JSON file with the whole specification; options below override it.", HelpName = "FILE" };
    private readonly Option<string?> _model = new("--model") { Description = "The model to train.", HelpName = "NAME" };
    private readonly Option<string?> _population = new("--population") { Description = "Whose clients train it.", HelpName = "NAME" };
    private readonly Option<ArchitectureSpec?> _architecture = new("--architecture")
    {
        Description = $"Makes the first version where the model has none: {ArchitectureText.Form}.",
        HelpName = "ARCH",
        CustomParser = result =>
        {
            if (ArchitectureText.TryParse(result.Tokens[0].Value, out var architecture))
            {
                return architecture;
            }

            result.AddError(ArchitectureText.Explain(result.Tokens[0].Value));
            return null;
        },
    };

    private readonly Option<int?> _rounds = new("--rounds") { Description = "Rounds to publish.", HelpName = "N" };
    private readonly Option<long?> _seed = new("--seed") { Description = "Where all chance of the run comes from.", HelpName = "N" };
    private readonly Option<int?> _clients = new("--clients") { Description = "Clients of a round, drawn at random. Default: all seen lately.", HelpName = "N" };
    private readonly Option<int?> _minimum = new("--min-clients") { Description = "Fewest clients to plan a round and fewest updates to publish.", HelpName = "N" };
    private readonly Option<int?> _quorum = new("--quorum") { Description = "Updates that close a round early.", HelpName = "N" };
    private readonly Option<TimeSpan?> _deadline = new("--deadline")
    {
        Description = "Longest time a round collects: 90s, 15m, 12h or 2d.",
        HelpName = "TIME",
        CustomParser = result => Durations.Read(result, "--deadline"),
    };

    private readonly Option<int?> _epochs = new("--epochs") { Description = "Passes over a client's samples.", HelpName = "N" };
    private readonly Option<int?> _batch = new("--batch") { Description = "Samples a local step; 0 for all.", HelpName = "N" };
    private readonly Option<double?> _learningRate = new("--lr") { Description = "Local learning rate.", HelpName = "X" };
    private readonly Option<double?> _momentum = new("--momentum") { Description = "Local momentum.", HelpName = "X" };
    private readonly Option<double?> _proximalMu = new("--proximal-mu") { Description = "FedProx's µ, FedDyn's α.", HelpName = "X" };
    private readonly Option<bool> _measure = new("--measure") { Description = "Clients measure the model before and after training it: see fed run clients." };
    private readonly Option<string?> _solver = new("--solver") { Description = $"How clients train: {string.Join(", ", LocalSolvers.Names)}.", HelpName = "NAME" };
    private readonly Option<string?> _codec = new("--codec") { Description = $"How updates travel: {string.Join(", ", UpdateCodecs.All.Names)}.", HelpName = "NAME" };
    private readonly Option<double?> _keep = new("--keep") { Description = $"Share of the parameters that a top-k or random-k codec sends: 0.01 for one in a hundred. Default {UpdateCodecs.DefaultKeep}.", HelpName = "X" };
    private readonly Option<string?> _rounding = new("--rounding") { Description = $"How codecs with int8 or int4 round: {UpdateRoundings.Nearest} (default) or {UpdateRoundings.Stochastic}.", HelpName = "NAME" };
    private readonly Option<int?> _warmUp = new("--warm-up") { Description = "Rounds in which a top-k or random-k codec sends more, from a quarter down to --keep. Default: none.", HelpName = "N" };
    private readonly Option<bool> _errorFeedback = new("--error-feedback") { Description = "Clients keep what a lossy codec leaves out and send it with their next update." };
    private readonly Option<string?> _optimizer = new("--optimizer") { Description = $"What the server does with the mean update: {string.Join(", ", ServerOptimizers.Names)}.", HelpName = "NAME" };
    private readonly Option<double?> _serverLearningRate = new("--server-lr") { Description = "The server optimizer's learning rate.", HelpName = "X" };
    private readonly Option<double?> _maxNorm = new("--max-norm") { Description = "Refuse updates whose norm is larger.", HelpName = "X" };

    private readonly RunAdaptationOptions _adaptation = new();
    private readonly RunPrivacyOptions _privacy = new();

    private readonly Option<double?> _costLimit = new("--cost-limit") { Description = "End the run before it costs more, in the currency of the server's price table.", HelpName = "X" };

    public RunSpecOptions()
    {
        _codec.OneOf([.. UpdateCodecs.All.Names]);
        _rounding.OneOf([.. UpdateRoundings.Names]);
        _solver.OneOf([.. LocalSolvers.Names]);
        _optimizer.OneOf([.. ServerOptimizers.Names]);
    }

    /// <summary>Every option, for a command.</summary>
    public IEnumerable<Option> All =>
    [
        _spec, _model, _population, _architecture, _rounds, _seed, _clients, _minimum, _quorum, _deadline,
        _epochs, _batch, _learningRate, _momentum, _proximalMu, _solver, _measure, _codec, _keep, _warmUp, _rounding, _errorFeedback, _optimizer, _serverLearningRate, _maxNorm, _costLimit,
        .. _adaptation.All, .. _privacy.All,
    ];

    /// <summary>Builds the specification and checks it whole.</summary>
    /// <exception cref="CommandException">It cannot run; the message lists every problem.</exception>
    public RunSpec Build(ParseResult parsed, string currentFolder)
    {
        var adapted = _adaptation.Override(parsed, Override(parsed, Start(parsed, currentFolder)), isCodecGiven: parsed.GetValue(_codec) is not null);
        var spec = _privacy.Override(parsed, adapted, isCohortGiven: parsed.GetValue(_clients) is not null);
        var problems = RunSpecValidator.Validate(spec);
        return problems.Count == 0 ? spec : throw Refuse("The run's specification is not valid", problems);
    }

    private RunSpec Start(ParseResult parsed, string currentFolder)
    {
        if (parsed.GetValue(_spec) is { } path)
        {
            return ReadFile(Path.GetFullPath(path, currentFolder));
        }

        return parsed.GetValue(_model) is { } model && parsed.GetValue(_rounds) is { } rounds
            ? new RunSpec { Model = model, Rounds = rounds }
            : throw new CommandException("A run needs --model and --rounds, or a file: --spec FILE.", ExitCodes.Usage);
    }

    private static RunSpec ReadFile(string path)
    {
        byte[] json;
        try
        {
            json = File.ReadAllBytes(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new CommandException($"{path} cannot be read: {exception.Message}");
        }

        return RunSpecJson.TryParse(json, out var spec, out var problems) ? spec : throw Refuse($"{path} is not a valid specification", problems);
    }

    private RunSpec Override(ParseResult parsed, RunSpec spec)
    {
        var clients = parsed.GetValue(_clients);
        return spec with
        {
            Model = parsed.GetValue(_model) ?? spec.Model,
            Population = parsed.GetValue(_population) ?? spec.Population,
            Rounds = parsed.GetValue(_rounds) ?? spec.Rounds,
            Seed = parsed.GetValue(_seed) ?? spec.Seed,
            CostLimit = parsed.GetValue(_costLimit) ?? spec.CostLimit,
            Architecture = parsed.GetValue(_architecture) ?? spec.Architecture,
            Selection = clients is null ? spec.Selection : spec.Selection with { Kind = Selections.Uniform, Clients = clients, Rate = null },
            Round = spec.Round with
            {
                Minimum = parsed.GetValue(_minimum) ?? spec.Round.Minimum,
                Quorum = parsed.GetValue(_quorum) ?? spec.Round.Quorum,
                DeadlineSeconds = parsed.GetValue(_deadline)?.TotalSeconds ?? spec.Round.DeadlineSeconds,
            },
            Training = spec.Training with
            {
                Epochs = parsed.GetValue(_epochs) ?? spec.Training.Epochs,
                BatchSize = parsed.GetValue(_batch) ?? spec.Training.BatchSize,
                LearningRate = parsed.GetValue(_learningRate) ?? spec.Training.LearningRate,
                Momentum = parsed.GetValue(_momentum) ?? spec.Training.Momentum,
                ProximalMu = parsed.GetValue(_proximalMu) ?? spec.Training.ProximalMu,
                Measure = parsed.GetValue(_measure) || spec.Training.Measure,
                Solver = parsed.GetValue(_solver) ?? spec.Training.Solver,
            },
            Aggregation = spec.Aggregation with
            {
                MaxNorm = parsed.GetValue(_maxNorm) ?? spec.Aggregation.MaxNorm,
                Weighting = parsed.GetValue(_solver) is LocalSolvers.Scaffold or LocalSolvers.FedDyn ? Weightings.Uniform : spec.Aggregation.Weighting,
            },
            Optimizer = spec.Optimizer with
            {
                Name = parsed.GetValue(_optimizer) ?? spec.Optimizer.Name,
                LearningRate = parsed.GetValue(_serverLearningRate) ?? spec.Optimizer.LearningRate,
            },
            Update = spec.Update with
            {
                Codec = parsed.GetValue(_codec) ?? spec.Update.Codec,
                Keep = parsed.GetValue(_keep) ?? spec.Update.Keep,
                WarmUpRounds = parsed.GetValue(_warmUp) ?? spec.Update.WarmUpRounds,
                Rounding = parsed.GetValue(_rounding) ?? spec.Update.Rounding,
                ErrorFeedback = parsed.GetValue(_errorFeedback) || spec.Update.ErrorFeedback,
            },
        };
    }

    private static CommandException Refuse(string title, IReadOnlyList<Problem> problems) =>
        new($"{title}:{string.Concat(problems.Select(problem => $"{Environment.NewLine}  {problem}"))}", ExitCodes.Usage);
}
