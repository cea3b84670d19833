using FedServerless.Activities.Metering;
using FedServerless.Activities.Models;
using FedServerless.Activities.Privacy;
using FedServerless.Activities.Rounds;
using FedServerless.Activities.State;
using FedServerless.Privacy;
using FedServerless.Storage;
using FedServerless.Wire;
using FedServerless.Workflows.Engine;
using FedServerless.Workflows.Rounds;
using FedServerless.Workflows.Runs;

namespace FedServerless.Activities.Runs;

/// <summary>Says what a run does next, from blobs alone; where it ends, writes the outcome.</summary>
internal sealed class DecideStep(IObjectStore store, IPresence presence, ModelPreparation models, RoundPlanner planner, RunLog log, UsageBook usage, PrivacyLedger ledger)
    : IActivity<RunProgress, RunStep>
{
    public async Task<RunStep> RunAsync(RunProgress input, CancellationToken cancellationToken)
    {
        var run = (await store.GetAsync(StoreNames.Run(input.Run), StoreJson.Default.RunDocument, cancellationToken)).Value;
        var outcome = await store.FindAsync(StoreNames.RunOutcome(input.Run), StoreJson.Default.RunOutcomeDocument, cancellationToken);
        if (outcome is not null)
        {
            return Ended(input, outcome.Value);
        }

        var progress = input.Round == 0 ? await LocateAsync(input.Run, cancellationToken) : input;
        if (await UnfinishedAsync(run, progress, isFromNothing: input.Round == 0, cancellationToken) is { } unfinished)
        {
            return new RunStep(unfinished, progress);
        }

        var control = await store.FindAsync(StoreNames.RunControl(input.Run), StoreJson.Default.ControlDocument, cancellationToken);
        if (await EndingAsync(run, progress, control?.Value, cancellationToken) is var (state, reason))
        {
            return await EndAsync(run, progress, state, reason, cancellationToken);
        }

        if (control?.Value.Desired == ControlStates.Pause)
        {
            return new RunStep(RunStepKind.WaitForOperator, progress, control.Value.Reason ?? "paused", PauseSeconds: RunPauses.OperatorSeconds);
        }

        if (progress is { AbandonedInRow: > 0, BackedOff: false })
        {
            var seconds = RunPauses.BackOffSeconds(progress.AbandonedInRow);
            return new RunStep(RunStepKind.BackOff, progress, $"{progress.AbandonedInRow} rounds abandoned in a row; next in {seconds} s", PauseSeconds: seconds);
        }

        if (await models.PrepareAsync(run.Spec, cancellationToken) is { } refusal)
        {
            return await EndAsync(run, progress, RunStates.Failed, refusal, cancellationToken);
        }

        var seen = await presence.SeenLatelyAsync(run.Spec.Population, cancellationToken);
        var needed = RunReadiness.ClientsNeeded(run.Spec);
        if (seen.Count < needed)
        {
            return new RunStep(
                RunStepKind.WaitForClients, progress, $"{RunStatusTexts.WaitingForClients}: {seen.Count} of {needed} seen lately", PauseSeconds: RunPauses.ClientsSeconds);
        }

        // Planned from this very look: a host that starts anew between the decision and the plan has seen nobody yet, and would
        // plan a round for fewer clients than the decision was made for.
        var planned = await planner.PlanAsync(new RoundInput(run.Id, progress.Round), seen, cancellationToken);
        return planned.Refusal is { } forbidden
            ? await EndAsync(run, progress, forbidden.State, forbidden.Reason, cancellationToken)
            : new RunStep(RunStepKind.Round, progress);
    }

    /// <summary>
    /// What a run that lost its journal was in the middle of: a round that is planned goes on whoever is there, whatever the
    /// operator wants since (pause acts at its end, stop seals it); an evaluation that is due is sealed before anything reads it. A run
    /// that goes on has evaluated already: asked again, its evaluation's instance would only repeat its answer, and if the store
    /// lost the seal the run would go round and round without a pause.
    /// </summary>
    private async Task<RunStepKind?> UnfinishedAsync(RunDocument run, RunProgress progress, bool isFromNothing, CancellationToken cancellationToken)
    {
        if (await store.HeadAsync(StoreNames.Plan(run.Id, progress.Round), cancellationToken) is not null)
        {
            return RunStepKind.Round;
        }

        var last = progress.Round - 1;
        if (!isFromNothing || run.Spec.Evaluation is null || last == 0)
        {
            return null;
        }

        var outcome = await store.FindAsync(StoreNames.RoundOutcome(run.Id, last), StoreJson.Default.RoundOutcomeDocument, cancellationToken);
        return outcome is not null && EvaluationRule.IsDue(run.Spec, outcome.Value)
            && await store.HeadAsync(StoreNames.EvaluationSeal(run.Id, last), cancellationToken) is null
            ? RunStepKind.Evaluation
            : null;
    }

    /// <summary>The first round without an outcome; outcomes have no gaps and carry the running counts.</summary>
    private async Task<RunProgress> LocateAsync(string run, CancellationToken cancellationToken)
    {
        var low = 0;
        var high = 1;
        while (await HasOutcomeAsync(high))
        {
            low = high;
            high *= 2;
        }

        while (high - low > 1)
        {
            var middle = low + ((high - low) / 2);
            if (await HasOutcomeAsync(middle))
            {
                low = middle;
            }
            else
            {
                high = middle;
            }
        }

        if (low == 0)
        {
            await log.WriteAsync(run, 0, LogKind.RunStarted, "The run started.", null, null, cancellationToken);
            return new RunProgress(run, 1);
        }

        var last = await store.GetAsync(StoreNames.RoundOutcome(run, low), StoreJson.Default.RoundOutcomeDocument, cancellationToken);
        return new RunProgress(run, low + 1, last.Value.PublishedRounds, last.Value.AbandonedInRow);

        async Task<bool> HasOutcomeAsync(int round) =>
            await store.HeadAsync(StoreNames.RoundOutcome(run, round), cancellationToken) is not null;
    }

    private async Task<(string State, string Reason)?> EndingAsync(
        RunDocument run, RunProgress progress, ControlDocument? control, CancellationToken cancellationToken)
    {
        if (control?.Desired == ControlStates.Stop)
        {
            return (RunStates.Stopped, control.Reason ?? "stopped by the operator");
        }

        if (progress.Published >= run.Spec.Rounds)
        {
            return (RunStates.Completed, $"all {run.Spec.Rounds} rounds are published");
        }

        if (run.Spec.Evaluation is { } evaluation
            && await StoppingRules.FindAsync(store, run.Id, progress.Round - 1, evaluation, cancellationToken) is { } reason)
        {
            return (RunStates.Completed, reason);
        }

        if (run.Spec.CostLimit is { } limit && await CostRule.FindAsync(store, usage, progress, limit, cancellationToken) is { } tooMuch)
        {
            return (RunStates.CostLimitReached, tooMuch);
        }

        if (progress.AbandonedInRow < RunPauses.MaxAbandonedInRow)
        {
            return null;
        }

        var last = await store.FindAsync(StoreNames.RoundOutcome(run.Id, progress.Round - 1), StoreJson.Default.RoundOutcomeDocument, cancellationToken);
        return (RunStates.Stalled, $"{progress.AbandonedInRow} rounds in a row were abandoned; the last one: {last?.Value.Reason}");
    }

    private async Task<RunStep> EndAsync(RunDocument run, RunProgress progress, string state, string reason, CancellationToken cancellationToken)
    {
        await ReleaseAsync(run, progress.Round, cancellationToken);
        var pointer = await store.FindAsync(StoreNames.ModelPointer(run.Spec.Model), StoreJson.Default.PointerDocument, cancellationToken);
        var document = new RunOutcomeDocument(state, reason, progress.Round - 1, progress.Published, pointer?.Value.Version);
        var stored = await store.CreateOnceAsync(StoreNames.RunOutcome(run.Id), document, StoreJson.Default.RunOutcomeDocument, cancellationToken);
        await store.DeleteAsync(StoreNames.ActiveRun(run.Spec.Population, run.Id), cancellationToken);
        await log.WriteAsync(run.Id, progress.Round, LogKind.RunEnded, $"The run ended {stored.Value.State}: {stored.Value.Reason}.", null, null, cancellationToken);
        return Ended(progress, stored.Value);
    }

    /// <summary>
    /// Gives back what was reserved for a round that was never planned. A stale copy that plans it all the same finds no reservation to charge, and noises
    /// nothing.
    /// </summary>
    private async Task ReleaseAsync(RunDocument run, int round, CancellationToken cancellationToken)
    {
        if (run.Spec.Privacy is null || await store.HeadAsync(StoreNames.Plan(run.Id, round), cancellationToken) is not null)
        {
            return;
        }

        try
        {
            await ledger.ReleaseAsync(run.Spec.Population, run.Id, round, cancellationToken);
        }
        catch (LedgerBrokenException)
        {
            // It stays reserved, as everything does that is in doubt; the run ends all the same.
        }
    }

    private static RunStep Ended(RunProgress progress, RunOutcomeDocument outcome) =>
        new(RunStepKind.Ended, progress, outcome.Reason, outcome.State);
}
