using System.Globalization;
using FedServerless.Activities.Runs;
using FedServerless.Activities.State;
using FedServerless.Optimization;
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
            accepted = await store.CreateOnceAsync(name, Decide(verdicts, plan.Aggregation, plan.Training), StoreJson.Default.AcceptedDocument, cancellationToken);
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

        // The trusted client is a measure, not a contribution.
        var count = RobustRound.Judged(plan, accepted.Value).Length;
        var measures = plan.Aggregation.ToRule() is { NeedsGram: true } && DecideAggregation.Refusal(plan, accepted.Value) is null;
        return plan.Aggregation.ToRule() is not null
            ? new RoundAccepted(count, count >= plan.Minimum, 0, measures ? RoundGeometry.ParameterShards(plan) : 0, Decides: true)
            : new RoundAccepted(count, count >= plan.Minimum, RoundTasks.Folds(plan, count));
    }

    internal static AcceptedDocument Decide(IReadOnlyList<Verdict> verdicts, AggregationSpec aggregation, TrainingSpec training)
    {
        verdicts = BoundNorms(verdicts, aggregation.MaxNormRatio);
        var uniform = aggregation.Weighting == Weightings.Uniform;
        var sound = verdicts.Where(verdict => verdict.Reason is null).OrderBy(verdict => verdict.Client, StringComparer.Ordinal);
        var refused = verdicts.Where(verdict => verdict.Reason is not null).OrderBy(verdict => verdict.Client, StringComparer.Ordinal);
        return Normalise(new AcceptedDocument(
            [.. sound.Select(verdict => new AcceptedUpdate(verdict.Client, verdict.Header, uniform ? 1 : verdict.Samples, verdict.Norm, verdict.Private, verdict.Steps, PartBytes: verdict.PartBytes))],
            [.. refused.Select(verdict => new Refusal(verdict.Client, verdict.Reason!))]), LocalSolvers.Create(training));
    }

    /// <summary>
    /// Divides each weight by how many plain steps the update amounts to, and scales the mean by their mean: Wang et al. 2020, equation 8. Where all
    /// took as many, that is the plain weighted mean, and stays it to the bit.
    /// </summary>
    private static AcceptedDocument Normalise(AcceptedDocument accepted, ILocalSolver solver)
    {
        var lengths = accepted.Accepted.Select(update => solver.Length(update.Steps ?? 1)).ToArray();
        if (lengths.Distinct().Count() <= 1)
        {
            return accepted;
        }

        var (total, steps, divided) = (0.0, 0.0, 0.0);
        var updates = new AcceptedUpdate[lengths.Length];
        for (var i = 0; i < lengths.Length; i++)
        {
            var update = accepted.Accepted[i];
            updates[i] = update with { Weight = update.Weight / lengths[i], BufferWeight = update.Weight };
            total += update.Weight;
            steps += update.Weight * lengths[i];
            divided += updates[i].Weight;
        }

        return accepted with { Accepted = updates, Scale = steps / total * (divided / total) };
    }

    /// <summary>Refuses updates that are far longer than the round's median; of an even number of updates the lower middle one counts.</summary>
    private static IReadOnlyList<Verdict> BoundNorms(IReadOnlyList<Verdict> verdicts, double? ratio)
    {
        var norms = verdicts.Where(verdict => verdict.Reason is null).Select(verdict => verdict.Norm).Order().ToArray();
        if (ratio is not { } times || norms.Length == 0)
        {
            return verdicts;
        }

        var median = norms[(norms.Length - 1) / 2];
        return [.. verdicts.Select(verdict => verdict.Reason is null && verdict.Norm > times * median
            ? verdict with { Reason = string.Create(CultureInfo.InvariantCulture, $"its norm {verdict.Norm:G6} exceeds {times:G6} times the round's median norm {median:G6}"), Norm = 0 }
            : verdict)];
    }
}
