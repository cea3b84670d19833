using FedServerless.Activities.State;
using FedServerless.Storage;
using FedServerless.Workflows.Rounds;

namespace FedServerless.Gateway.Runs;

/// <summary>The workflow instances of a round: whoever purges one purges those below it first, for an engine does not.</summary>
internal static class RoundInstances
{
    /// <summary>All of them, the round's own after those of its stages. Most rounds have no others and no look at the plan finds any.</summary>
    public static async Task<IReadOnlyList<string>> OfRoundAsync(
        this IObjectStore store, string run, int round, string runInstance, CancellationToken cancellationToken)
    {
        var instance = RoundWorkflow.InstanceId(runInstance, round);
        var plan = await store.FindAsync(StoreNames.Plan(run, round), StoreJson.Default.RoundPlan, cancellationToken);
        var stages = plan is null
            ? []
            : Enum.GetValues<RoundStage>().SelectMany(stage => RoundStages.InstanceIds(instance, stage, RoundTasks.Most(plan.Value, stage)));
        return [.. stages, instance, EvaluationWorkflow.InstanceId(runInstance, round)];
    }
}
