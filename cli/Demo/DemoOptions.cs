using FedServerless.Wire;

namespace FedServerless.Cli.Demo;

/// <summary>What <c>fed demo</c> does. The same options but <see cref="Data"/> and <see cref="Azurite"/> give the same model, bit for bit.</summary>
internal sealed record DemoOptions
{
    public const int MaxClients = 140;

    /// <summary><c>softmax</c> or <c>mlp</c>. Default <c>softmax</c>.</summary>
    public string Model { get; init; } = FedServerless.Model.Architectures.Softmax;

    /// <summary>How the samples are dealt out. Default evenly.</summary>
    public PartitionChoice Partition { get; init; } = PartitionChoice.Iid;

    /// <summary>Edge clients, 1 to <see cref="MaxClients"/>: each has ten samples or so at the most. Default 10.</summary>
    public int Clients { get; init; } = 10;

    /// <summary>Rounds to publish. Default 30.</summary>
    public int Rounds { get; init; } = 30;

    /// <summary>Where all chance comes from: split, partition, initial model, local shuffles. Default 0.</summary>
    public long Seed { get; init; }

    /// <summary>Keep everything in Azurite.</summary>
    public bool Azurite { get; init; }

    /// <summary>A folder to keep afterwards; null for a temporary one.</summary>
    public string? Data { get; init; }

    /// <summary>Write the result as JSON on the last line.</summary>
    public bool Json { get; init; }

    /// <summary>The run: every client in every round, so that nothing depends on who was faster.</summary>
    public RunSpec ToSpec() => new()
    {
        Model = Digits.ModelName,
        Rounds = Rounds,
        Seed = Seed,
        Architecture = new ArchitectureSpec
        {
            Name = Model,
            Inputs = Digits.Features,
            Hidden = Model == FedServerless.Model.Architectures.Mlp ? [Digits.HiddenWidth] : [],
            Outputs = Digits.Classes,
        },
        Round = new RoundSpec { Minimum = Clients, Quorum = Clients },
        Training = new TrainingSpec { Epochs = 5, BatchSize = 32, LearningRate = 0.1 },
    };
}
