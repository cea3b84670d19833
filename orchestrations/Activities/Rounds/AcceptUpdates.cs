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

    /// <summary>
    /// Most that one claim of steps counts for in τ_eff, in multiples of the round's median. τ_eff scales the whole round, and steps follow from samples
    /// that a receipt merely claims: without a bound one number in one receipt would throw the model away.
    /// </summary>
    internal const double MaxLengthRatio = 16;

    /// <summary>
    /// Most that one update with few steps may do to SCAFFOLD's memory, in multiples of the round's median. Its change of the memory is divided by its
    /// steps, goes down to everybody, and outlives the round: without a bound a claim of one sample would be worth all steps that the others took. Honest
    /// clients with a fifth of the usual steps come to 3 to 9 medians, with a twentieth to 9 to 21 (docs/maths/local-solvers.md).
    /// </summary>
    internal const double MaxMemoryRatio = 16;

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
        var solver = LocalSolvers.Create(training);
        verdicts = BoundNorms(verdicts, aggregation, solver);
        var uniform = aggregation.Weighting == Weightings.Uniform;
        var sound = verdicts.Where(verdict => verdict.Reason is null).OrderBy(verdict => verdict.Client, StringComparer.Ordinal);
        var refused = verdicts.Where(verdict => verdict.Reason is not null).OrderBy(verdict => verdict.Client, StringComparer.Ordinal);
        return Normalise(new AcceptedDocument(
            [.. sound.Select(verdict => new AcceptedUpdate(verdict.Client, verdict.Header, uniform ? 1 : verdict.Samples, verdict.Norm, verdict.Private, verdict.Steps, PartBytes: verdict.PartBytes))],
            [.. refused.Select(verdict => new Refusal(verdict.Client, verdict.Reason!))]), solver);
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

        var most = MaxLengthRatio * LowerMedian(lengths);
        var (total, steps, divided) = (0.0, 0.0, 0.0);
        var updates = new AcceptedUpdate[lengths.Length];
        for (var i = 0; i < lengths.Length; i++)
        {
            var update = accepted.Accepted[i];
            updates[i] = update with { Weight = update.Weight / lengths[i], BufferWeight = update.Weight };
            total += update.Weight;
            steps += update.Weight * Math.Min(lengths[i], most);
            divided += updates[i].Weight;
        }

        return accepted with { Accepted = updates, Scale = steps / total * (divided / total) };
    }

    /// <summary>
    /// Refuses updates that are far longer than the round's median; of an even number of updates the lower middle one counts. An update that is divided
    /// by fewer steps than others goes further, and is looked at in the length that it has then: few steps are claimed as easily as many.
    /// </summary>
    private static IReadOnlyList<Verdict> BoundNorms(IReadOnlyList<Verdict> verdicts, AggregationSpec aggregation, ILocalSolver solver)
    {
        var sound = verdicts.Where(verdict => verdict.Reason is null).ToArray();
        if (sound.Length == 0 || ((aggregation.MaxNormRatio ?? aggregation.MaxNorm) is null && !solver.HasMemory))
        {
            return verdicts;
        }

        var usual = LowerMedian(sound.Select(Divisor));
        var median = LowerMedian(sound.Select(Reach));

        // The upper middle one: of two updates neither can have the other refused.
        var most = sound.Select(Reach).Order().ElementAt(sound.Length / 2) is > 0 and var upper ? MaxMemoryRatio * upper : double.PositiveInfinity;
        return [.. verdicts.Select(verdict => verdict.Reason is null && Problem(verdict) is { } problem ? verdict with { Reason = problem, Norm = 0 } : verdict)];

        double Divisor(Verdict verdict) => solver.HasMemory ? solver.ChangeFactor(1) / solver.ChangeFactor(verdict.Steps ?? 1) : solver.Length(verdict.Steps ?? 1);

        double Reach(Verdict verdict) => verdict.Norm * Math.Max(1, usual / Divisor(verdict));

        string? Problem(Verdict verdict)
        {
            var reach = Reach(verdict);
            var words = reach == verdict.Norm
                ? string.Create(CultureInfo.InvariantCulture, $"its norm {reach:G6}")
                : string.Create(CultureInfo.InvariantCulture, $"its norm {verdict.Norm:G6}, which counts as {reach:G6} in so few steps,");
            return aggregation.MaxNormRatio is { } times && reach > times * median
                ? string.Create(CultureInfo.InvariantCulture, $"{words} exceeds {times:G6} times the round's median norm {median:G6}")
                : aggregation.MaxNorm is { } bound && reach > bound ? string.Create(CultureInfo.InvariantCulture, $"{words} exceeds the bound {bound:G6}")
                : solver.HasMemory && reach > verdict.Norm && reach > most
                    ? string.Create(CultureInfo.InvariantCulture, $"{words} exceeds {most:G6}, the most that a claim of few steps may do to the solver's memory")
                : null;
        }
    }

    private static double LowerMedian(IEnumerable<double> values)
    {
        var ordered = values.Order().ToArray();
        return ordered[(ordered.Length - 1) / 2];
    }
}
