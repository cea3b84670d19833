using FedServerless.Aggregation;

namespace FedServerless.Capacity;

/// <summary>The numbers that a round's requests follow from.</summary>
/// <param name="Size">How large the round is.</param>
/// <param name="Reduction">How its work is shared out.</param>
public sealed record RoundQuantities(RoundSize Size, ReductionPlan Reduction)
{
    /// <summary>Clients of a shard of the cohort's document.</summary>
    public const int ClientsPerCohortShard = 1024;

    /// <summary>Versions before the last whose encoded files are kept: <c>download.deltaVersions</c>, by default.</summary>
    public const int DownloadsKept = 4;

    /// <summary>Members of the population; listed when a round is planned and sealed.</summary>
    public int Members { get; init; }

    /// <summary>Looks of the round's workflow at the receipts, at least 1.</summary>
    public int Looks { get; init; } = 1;

    /// <summary>Vectors that the server optimizer keeps: 0 for FedAvg, 1 for FedAvgM, 2 for the adaptive ones.</summary>
    public int OptimizerStates { get; init; }

    /// <summary>True when an earlier round left such vectors.</summary>
    public bool HasOptimizerState { get; init; } = true;

    /// <summary>Bytes of the model's file.</summary>
    public long ModelBytes { get; init; }

    /// <summary>Bytes of the model that one device receives; null for <see cref="ModelBytes"/>, its file as it is.</summary>
    public long? DownBytes { get; init; }

    /// <summary>True where one encoded file of <see cref="DownBytes"/> is made of the model when the round opens.</summary>
    public bool EncodesDownloads { get; init; }

    /// <summary>Versions before the base. Default many: a run that has been going for a while.</summary>
    public int EarlierVersions { get; init; } = DownloadsKept + 1;

    /// <summary>Copies of the model, or of its encoded file, that devices fetch from; 1 for the one file itself.</summary>
    public int Copies { get; init; } = 1;

    /// <summary>
    /// True when each activity reads the headers of updates and models itself; false where one process does everything and remembers
    /// them, as a laptop does.
    /// </summary>
    public bool IsSpread { get; init; } = true;

    /// <summary>Presence pages and members looked through before a round: false where presence is no part of it.</summary>
    public bool LooksForPresence { get; init; } = true;

    /// <summary>True when raw updates are kept after the round.</summary>
    public bool RetainsUpdates { get; init; }

    /// <summary>Objects that an upload leaves besides header and parts: its announcement.</summary>
    public int AnnouncementsPerUpload { get; init; } = 1;

    /// <summary>Updates.</summary>
    public int Clients => Size.Clients;

    /// <summary>Shards of the cohort's document: a power of two.</summary>
    public int CohortShards
    {
        get
        {
            var shards = 1;
            while (shards * ClientsPerCohortShard < Clients)
            {
                shards *= 2;
            }

            return shards;
        }
    }

    /// <summary>Validation activities, each of which leaves a document of verdicts.</summary>
    public int Validations => Reduction.Validations(Clients);

    /// <summary>Chunks of clients.</summary>
    public int Chunks => ClientChunks.Count(Clients, Reduction.ChunkClients);

    /// <summary>Fold activities; 0 with one level.</summary>
    public int Folds => Reduction.FoldsOfShard(Clients) * Size.Shards;

    /// <summary>Pages of a listing of so many objects.</summary>
    public static long Pages(long objects) => Math.Max(1, (objects + 4999) / 5000);
}
