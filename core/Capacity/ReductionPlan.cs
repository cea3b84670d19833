using FedServerless.Aggregation;

namespace FedServerless.Capacity;

/// <summary>
/// How the work of a round is shared out among activities. Part of the round's plan. Only <see cref="ChunkClients"/> has a say in
/// the model's bytes, and it is a constant of the format; all else may differ between two runs of the same spec.
/// </summary>
/// <param name="ChunkClients">Clients of a chunk of the fold: <see cref="ClientChunks.Size"/>.</param>
/// <param name="Levels">1: each shard folds the whole cohort. 2: chunks of clients are folded apart, and a second fan-out joins them.</param>
/// <param name="ChunksPerTask">With two levels: consecutive chunks of one shard that an activity folds, one after another.</param>
/// <param name="ValidationClients">Sealed updates that an activity validates.</param>
/// <param name="CleanTasks">Activities that remove raw updates when the round is closed; 0 when closing does it itself.</param>
public sealed record ReductionPlan(int ChunkClients, int Levels, int ChunksPerTask, int ValidationClients, int CleanTasks)
{
    /// <summary>Fewest updates that are worth an activity of their own to validate.</summary>
    public const int MinValidationClients = 8;

    /// <summary>Largest cohort whose raw updates are removed by the activity that closes the round.</summary>
    public const int MaxCleanedAtClose = 256;

    /// <summary>Prefixes under which a round's uploads lie, see docs/concepts/scale.md.</summary>
    public const int UploadPrefixes = 256;

    /// <summary>
    /// Chooses. One level while a shard's fold of the whole cohort keeps within <see cref="CapacityModel.ActivityBudgetSeconds"/>; then
    /// two, with as few chunks to an activity as fit into the round's own fan-out, and never more than fit the budget.
    /// </summary>
    /// <param name="size">The round.</param>
    /// <param name="levels">The operator's choice, 1 or 2; null to choose.</param>
    public static ReductionPlan Choose(RoundSize size, int? levels = null)
    {
        var oneLevel = FoldSeconds(size, size.Clients);
        var chosen = levels ?? (oneLevel <= CapacityModel.ActivityBudgetSeconds ? 1 : 2);
        var chunks = Math.Max(1, ClientChunks.Count(size.Clients, ClientChunks.Size));
        var fitting = (long)Math.Max(1, Math.Floor(CapacityModel.ActivityBudgetSeconds / FoldSeconds(size, Math.Min(size.Clients, ClientChunks.Size))));
        var wanted = ((long)chunks * size.Shards + CapacityModel.MaxOwnTasks - 1) / CapacityModel.MaxOwnTasks;
        return new ReductionPlan(
            ClientChunks.Size,
            chosen,
            (int)Math.Clamp(wanted, 1, Math.Min(fitting, chunks)),
            ValidationSize(size),
            CleanTasksOf(size));
    }

    /// <summary>Seconds to fold one shard of so many clients: their headers and ranges.</summary>
    public static double FoldSeconds(RoundSize size, int clients) =>
        CapacityModel.Seconds((double)clients * (size.ShardReads + 1), (double)clients * size.ShardBytes, CapacityModel.FoldRequestsAtOnce);

    /// <summary>Seconds to validate one update: receipt, header and parts, one after another.</summary>
    public static double ValidationSeconds(RoundSize size) => ((size.Parts + 2) * CapacityModel.RequestSeconds) + (size.UpdateBytes / CapacityModel.BytesPerSecond);

    /// <summary>Chunks of a cohort, each folded from zero.</summary>
    public int Chunks(int clients) => ClientChunks.Count(clients, ChunkClients);

    /// <summary>Fold activities of one shard; 0 with one level.</summary>
    public int FoldsOfShard(int clients) => Levels < 2 ? 0 : (Chunks(clients) + ChunksPerTask - 1) / ChunksPerTask;

    /// <summary>Validation activities of so many sealed updates.</summary>
    public int Validations(int updates) => (updates + ValidationClients - 1) / ValidationClients;

    private static int ValidationSize(RoundSize size)
    {
        var wanted = Math.Max(MinValidationClients, (size.Clients + CapacityModel.MaxOwnTasks - 1) / CapacityModel.MaxOwnTasks);
        var fitting = (int)Math.Clamp(Math.Floor(CapacityModel.ActivityBudgetSeconds / ValidationSeconds(size)), 1, int.MaxValue);
        return Math.Min(wanted, fitting);
    }

    private static int CleanTasksOf(RoundSize size)
    {
        if (size.Clients <= MaxCleanedAtClose)
        {
            return 0;
        }

        // A quarter of the prefixes each, unless one activity would then be at it for too long.
        const int PrefixesPerTask = 4;
        var objects = (double)size.Clients * (size.Parts + 2) / UploadPrefixes * PrefixesPerTask;
        var seconds = CapacityModel.Seconds(objects, 0, CapacityModel.CleanRequestsAtOnce);
        return seconds <= CapacityModel.ActivityBudgetSeconds ? UploadPrefixes / PrefixesPerTask : UploadPrefixes;
    }
}
