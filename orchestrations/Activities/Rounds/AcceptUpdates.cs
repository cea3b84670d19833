using FedServerless.Activities.Runs;
using FedServerless.Activities.State;
using FedServerless.Storage;
using FedServerless.Wire;
using FedServerless.Workflows.Engine;
using FedServerless.Workflows.Rounds;

namespace FedServerless.Activities.Rounds;

/// <summary>Step 7: verdicts become one create-once object; every later step reads only that.</summary>
internal sealed class AcceptUpdates(IObjectStore store, RunLog log) : IActivity<RoundInput, RoundAccepted>
{
    /// <summary>Refusals that get a log entry of their own; <c>accepted</c> has all of them.</summary>
    internal const int MaxLoggedRefusals = 100;

    public async Task<RoundAccepted> RunAsync(RoundInput input, CancellationToken cancellationToken)
    {
        var plan = (await store.GetAsync(StoreNames.Plan(input.Run, input.Round), StoreJson.Default.RoundPlan, cancellationToken)).Value;
        var name = StoreNames.Accepted(input.Run, input.Round);
        var accepted = await store.FindAsync(name, StoreJson.Default.AcceptedDocument, cancellationToken);
        if (accepted is null)
        {
            var verdicts = await store.ReadVerdictsAsync(plan, cancellationToken);
            accepted = await store.CreateOnceAsync(name, Decide(verdicts, plan.Aggregation), StoreJson.Default.AcceptedDocument, cancellationToken);
        }

        // In the order of the entries' names ("a-1.json" before "a.json"): a reader counts entries by their place, so none may
        // appear before one that was read.
        var logged = accepted.Value.Refused.Take(MaxLoggedRefusals)
            .OrderBy(refusal => StoreNames.LogEntry(input.Run, input.Round, (int)LogKind.UpdateExcluded, refusal.Client), StringComparer.Ordinal);
        foreach (var refusal in logged)
        {
            await log.WriteAsync(
                input.Run, input.Round, LogKind.UpdateExcluded, $"The update of {refusal.Client} is not in the model: {refusal.Reason}",
                refusal.Client, null, cancellationToken);
        }

        var count = accepted.Value.Accepted.Count;
        return new RoundAccepted(count, count >= plan.Minimum, RoundTasks.Folds(plan, count));
    }

    internal static AcceptedDocument Decide(IReadOnlyList<Verdict> verdicts, AggregationSpec aggregation)
    {
        var uniform = aggregation.Weighting == Weightings.Uniform;
        var sound = verdicts.Where(verdict => verdict.Reason is null).OrderBy(verdict => verdict.Client, StringComparer.Ordinal);
        var refused = verdicts.Where(verdict => verdict.Reason is not null).OrderBy(verdict => verdict.Client, StringComparer.Ordinal);
        return new AcceptedDocument(
            [.. sound.Select(verdict => new AcceptedUpdate(verdict.Client, verdict.Header, uniform ? 1 : verdict.Samples, verdict.Norm))],
            [.. refused.Select(verdict => new Refusal(verdict.Client, verdict.Reason!))]);
    }
}
