using FedServerless.Compression;
using FedServerless.Privacy;
using FedServerless.Wire;

namespace FedServerless.Cli.Demo;

/// <summary>
/// What <c>fed demo</c> does. The same options but <see cref="Data"/> and <see cref="Azurite"/> give the same model, bit for bit, unless <see cref="Privacy"/>
/// adds noise that nobody can repeat.
/// </summary>
internal sealed record DemoOptions
{
    public const int MaxClients = 140;

    /// <summary>Clients of a private demo where nobody says: noise for one of ten would drown the other nine.</summary>
    public const int PrivateClients = 100;

    /// <summary>Rounds of a private demo where nobody says: each waits for its deadline.</summary>
    public const int PrivateRounds = 20;

    // Half of the clients a round: for so few the noise of a smaller sample costs more than its amplification saves.
    private const double PrivateRate = 0.5;

    /// <summary><c>softmax</c>, <c>mlp</c> or <c>conv</c>. Default <c>softmax</c>.</summary>
    public string Model { get; init; } = FedServerless.Model.Architectures.Softmax;

    /// <summary>How the samples are dealt out. Default evenly.</summary>
    public PartitionChoice Partition { get; init; } = PartitionChoice.Iid;

    /// <summary>Edge clients, 1 to <see cref="MaxClients"/>: each has ten samples or so at the most. Default 10.</summary>
    public int Clients { get; init; } = 10;

    /// <summary>Rounds to publish. Default 30.</summary>
    public int Rounds { get; init; } = 30;

    /// <summary>Where all chance comes from: split, partition, initial model, local shuffles. Default 0.</summary>
    public long Seed { get; init; }

    /// <summary>How updates travel: one of <see cref="UpdateCodecs"/>. Default <c>float32</c>. What it leaves out is sent with the next update, unless the codec errs either way alike.</summary>
    public string Codec { get; init; } = UpdateCodecs.Float32;

    /// <summary>Share of the parameters that a sparse codec sends; null for its default.</summary>
    public double? Keep { get; init; }

    /// <summary>Keep everything in Azurite.</summary>
    public bool Azurite { get; init; }

    /// <summary>A folder to keep afterwards; null for a temporary one.</summary>
    public string? Data { get; init; }

    /// <summary>A level of <see cref="PrivacyLevels"/> to train with, and the population's budget; null for none.</summary>
    public string? Privacy { get; init; }

    /// <summary>Write the result as JSON on the last line.</summary>
    public bool Json { get; init; }

    /// <summary>The run: every client in every round, so that nothing depends on who was faster.</summary>
    public RunSpec ToSpec() => Privacy is null ? Plain() : Plain() with
    {
        Selection = new SelectionSpec { Kind = Selections.Poisson, Rate = PrivateRate, QuarantineAfter = 0 },

        // All clients share this machine: a private round that waits too short misses some of them.
        Round = new RoundSpec { DeadlineSeconds = 2 + (Clients / 50.0) },

        // Deltas as long as the clipping norm or longer: what is shorter drowns in the noise. As `fed privacy plan --measure` trains.
        Training = new TrainingSpec { Epochs = 5, BatchSize = 0, LearningRate = 2 },
        Aggregation = new AggregationSpec { Weighting = Weightings.Uniform },
        Privacy = new PrivacySpec { Level = Privacy, Clients = Clients },
    };

    /// <summary>The budget that such a run spends to the last: ε of its level, δ = 1/(10N), its schedule fixed in advance.</summary>
    public SetBudgetRequest? ToBudget() => Privacy is null ? null : new SetBudgetRequest
    {
        Epsilon = PrivacyLevels.EpsilonOf(Privacy),
        Clients = Clients,
        Adaptivity = SetBudgetRequest.Adaptivities[(int)FilterAdaptivity.ScheduleFixed],
    };

    private RunSpec Plain() => new()
    {
        Model = Digits.ModelName,
        Rounds = Rounds,
        Seed = Seed,
        Architecture = Digits.Architecture(Model),
        Round = new RoundSpec { Minimum = Clients, Quorum = Clients },
        Training = new TrainingSpec { Epochs = 5, BatchSize = 32, LearningRate = 0.1 },
        Update = new UpdateSpec { Codec = Codec, Keep = Keep, ErrorFeedback = Codec is not (UpdateCodecs.Float32 or UpdateCodecs.Float16 or UpdateCodecs.Ternary) },
    };
}
