using FedServerless.Capacity;
using FedServerless.Workflows.Engine;

namespace FedServerless.Workflows.Rounds;

/// <summary>
/// The stages of a round that are shared out among many activities. Few tasks are fanned out by the round itself; many go to
/// <see cref="RoundStageWorkflow"/> instances below it, so that no instance has more than a thousand activities.
/// </summary>
public static class RoundStages
{
    /// <summary>Most tasks of a stage that the round fans out itself: five such stages, 200 looks and the single steps are below 1000.</summary>
    public const int MaxOwnTasks = CapacityModel.MaxOwnTasks;

    /// <summary>Instances of a stage's workflow below a round, or none where the round fans out itself: for whoever purges them.</summary>
    public static IEnumerable<string> InstanceIds(string roundInstance, RoundStage stage, int tasks) =>
        Parts(tasks).Select(part => InstanceId(roundInstance, stage, part));

    /// <summary>Does a stage; false when one of its tasks came to values that are not finite.</summary>
    internal static async Task<bool> RunAsync(IWorkflowContext context, RoundStage stage, RoundInput round, int tasks)
    {
        if (tasks <= MaxOwnTasks)
        {
            return await FanOutAsync(context, new StageInput(round.Run, round.Round, stage, 0, tasks));
        }

        var parts = await Task.WhenAll(Parts(tasks).Select(part => context.RunAsync(
            RoundStageWorkflow.Definition, InstanceId(context.InstanceId, stage, part), Part(round, stage, part, tasks))));
        return parts.All(done => done.Finite);
    }

    /// <summary>Every task of a part at once.</summary>
    internal static async Task<bool> FanOutAsync(IWorkflowContext context, StageInput part)
    {
        var tasks = Enumerable.Range(part.First, part.Count);
        switch (part.Stage)
        {
            case RoundStage.Validate:
                await context.FanOutAsync(RoundActivities.ValidateUpdates, [.. tasks.Select(task => new ValidationChunk(part.Run, part.Round, task))]);
                return true;

            case RoundStage.Measure:
                await context.FanOutAsync(RoundActivities.MeasureShard, [.. tasks.Select(task => new MeasureInput(part.Run, part.Round, task))]);
                return true;

            case RoundStage.Fold:
                await context.FanOutAsync(RoundActivities.FoldChunks, [.. tasks.Select(task => new FoldInput(part.Run, part.Round, task))]);
                return true;

            case RoundStage.Reduce:
                var shards = await context.FanOutAsync(RoundActivities.ReduceShard, [.. tasks.Select(task => new ReduceInput(part.Run, part.Round, task))]);
                return shards.All(shard => shard.Finite);

            case RoundStage.Clean:
                await context.FanOutAsync(RoundActivities.CleanUpdates, [.. tasks.Select(task => new CleanInput(part.Run, part.Round, task))]);
                return true;

            default:
                throw new InvalidOperationException($"Unknown stage {part.Stage}.");
        }
    }

    private static IEnumerable<int> Parts(int tasks) =>
        tasks <= MaxOwnTasks ? [] : Enumerable.Range(0, (tasks + WorkflowLimits.MaxFanOut - 1) / WorkflowLimits.MaxFanOut);

    private static StageInput Part(RoundInput round, RoundStage stage, int part, int tasks)
    {
        var first = part * WorkflowLimits.MaxFanOut;
        return new StageInput(round.Run, round.Round, stage, first, Math.Min(WorkflowLimits.MaxFanOut, tasks - first));
    }

    private static string InstanceId(string roundInstance, RoundStage stage, int part) => $"{roundInstance}~{Letter(stage)}{part:D6}";

    private static char Letter(RoundStage stage) => stage switch
    {
        RoundStage.Validate => 'v',
        RoundStage.Measure => 'g',
        RoundStage.Fold => 'c',
        RoundStage.Reduce => 's',
        RoundStage.Clean => 'd',
        _ => throw new ArgumentOutOfRangeException(nameof(stage), stage, "Unknown stage."),
    };
}
