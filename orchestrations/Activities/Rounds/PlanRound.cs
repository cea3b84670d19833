using FedServerless.Activities.Runs;
using FedServerless.Activities.State;
using FedServerless.Workflows.Engine;
using FedServerless.Workflows.Rounds;

namespace FedServerless.Activities.Rounds;

/// <summary>Step 2: the plan, which the run's decision for this round has written already unless the round was started by itself.</summary>
internal sealed class PlanRound(RoundPlanner planner, RunLog log) : IActivity<RoundInput, RoundPlanned>
{
    public async Task<RoundPlanned> RunAsync(RoundInput input, CancellationToken cancellationToken)
    {
        var planned = await planner.PlanAsync(input, seen: null, cancellationToken);
        var plan = planned.Stored?.Value
            ?? throw new InvalidOperationException($"Round {input.Round} of '{input.Run}' cannot be planned: {planned.Refusal!.Reason}.");
        var cohort = plan.Cohort.Count;
        await log.WriteAsync(
            input.Run, input.Round, LogKind.RoundPlanned, $"Round {input.Round} was planned with {cohort} clients from {plan.BaseVersion}.", null,
            new SortedDictionary<string, double>(StringComparer.Ordinal) { ["cohort"] = cohort, ["quorum"] = Math.Min(plan.Quorum, cohort) },
            cancellationToken);
        return new RoundPlanned(cohort, RoundGeometry.ShardCount(plan), plan.Privacy is not null);
    }
}
