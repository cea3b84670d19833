using FedServerless.Activities.State;
using FedServerless.Capacity;
using FedServerless.Storage;
using FedServerless.Workflows.Engine;
using FedServerless.Workflows.Rounds;

namespace FedServerless.Activities.Rounds;

/// <summary>Step 11 for large cohorts: the raw updates under some of the round's prefixes go. What comes later is the sweeper's.</summary>
internal sealed class CleanUpdates(IObjectStore store, RoundReader rounds) : IActivity<CleanInput, int>
{
    public async Task<int> RunAsync(CleanInput input, CancellationToken cancellationToken)
    {
        var plan = (await rounds.PlanAsync(input.Run, input.Round, cancellationToken)).Value;
        var tasks = RoundTasks.Of(plan, plan.Cohort.Count).CleanTasks;
        var each = ReductionPlan.UploadPrefixes / tasks;
        foreach (var prefix in StoreNames.RoundUpdates(input.Run, input.Round).Skip(input.Task * each).Take(each))
        {
            await store.DeleteAllAsync(prefix, cancellationToken);
        }

        return each;
    }
}
