using FedServerless.Capacity;
using FedServerless.Workflows.Engine;
using FedServerless.Workflows.Rounds;

namespace FedServerless.Activities.State;

/// <summary>How many activities each stage of a round has, and what each does: pure functions of the plan and the number of updates.</summary>
public static class RoundTasks
{
    /// <summary>What a plan from before there was a choice goes by: one level, the whole cohort folded in one go.</summary>
    public static ReductionPlan Of(RoundPlan plan, int updates)
    {
        ArgumentNullException.ThrowIfNull(plan);
        return plan.Reduction ?? new ReductionPlan(int.MaxValue, 1, 1, FormerValidationSize(updates), 0);
    }

    /// <summary>Fold activities of a round: shard by shard, a shard's chunks in order; 0 with one level.</summary>
    public static int Folds(RoundPlan plan, int accepted) => Of(plan, accepted).FoldsOfShard(accepted) * RoundGeometry.ShardCount(plan);

    /// <summary>What fold activity <paramref name="task"/> folds: a shard, and chunks of clients from the first on.</summary>
    public static (int Shard, int FirstChunk, int Chunks) Fold(RoundPlan plan, int accepted, int task)
    {
        var reduction = Of(plan, accepted);
        var (shard, part) = Math.DivRem(task, reduction.FoldsOfShard(accepted));
        var first = part * reduction.ChunksPerTask;
        return (shard, first, Math.Min(reduction.ChunksPerTask, reduction.Chunks(accepted) - first));
    }

    /// <summary>Most tasks that a stage of the round can have: as many as if everybody in the cohort had answered soundly.</summary>
    public static int Most(RoundPlan plan, RoundStage stage)
    {
        ArgumentNullException.ThrowIfNull(plan);
        var (clients, reduction) = (plan.Cohort.Count, Of(plan, plan.Cohort.Count));
        return stage switch
        {
            RoundStage.Validate => reduction.Validations(clients),
            RoundStage.Measure => RoundGeometry.ParameterShards(plan),
            RoundStage.Fold => Folds(plan, clients),
            RoundStage.Reduce => RoundGeometry.ShardCount(plan),
            RoundStage.Clean => reduction.CleanTasks,
            _ => throw new ArgumentOutOfRangeException(nameof(stage), stage, "Unknown stage."),
        };
    }

    // A thousand activities at the most, whatever the bytes.
    private static int FormerValidationSize(int updates) =>
        Math.Max(ReductionPlan.MinValidationClients, (updates + WorkflowLimits.MaxFanOut - 1) / WorkflowLimits.MaxFanOut);
}
