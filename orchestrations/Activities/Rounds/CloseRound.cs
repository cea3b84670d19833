using FedServerless.Activities.Metering;
using FedServerless.Activities.Privacy;
using FedServerless.Activities.Runs;
using FedServerless.Activities.State;
using FedServerless.Activities.Telemetry;
using FedServerless.Capacity;
using FedServerless.Storage;
using FedServerless.Workflows.Engine;
using FedServerless.Workflows.Rounds;

namespace FedServerless.Activities.Rounds;

/// <summary>Step 11: the outcome, then the cleaning. Cleaning runs every time, so a crash in the middle of it leaves nothing behind.</summary>
internal sealed class CloseRound(
    IObjectStore store, RoundReader rounds, IRoundBell bell, RunLog log, UsageBook usage, PrivacyLedger ledger, TimeProvider time) : IActivity<CloseInput, RoundOutcome>
{
    public async Task<RoundOutcome> RunAsync(CloseInput input, CancellationToken cancellationToken)
    {
        var plan = (await store.GetAsync(StoreNames.Plan(input.Run, input.Round), StoreJson.Default.RoundPlan, cancellationToken)).Value;
        var name = StoreNames.RoundOutcome(input.Run, input.Round);
        var outcome = await store.FindAsync(name, StoreJson.Default.RoundOutcomeDocument, cancellationToken);
        if (outcome is null)
        {
            var document = await DescribeAsync(input, plan, cancellationToken);
            outcome = await store.CreateOnceAsync(name, document, StoreJson.Default.RoundOutcomeDocument, cancellationToken);
            RoundTelemetry.Ended(outcome.Value.Published, outcome.Value.Cohort, outcome.Value.Receipts, outcome.Value.Accepted);
        }

        if (plan.Privacy is not null)
        {
            await SettlePrivacyAsync(plan, cancellationToken);
        }

        await LogAsync(input, outcome.Value, cancellationToken);
        await store.DeleteAsync(StoreNames.OpenTraining(plan.Population, input.Run, input.Round), cancellationToken);
        bell.Ring(plan.Population);
        await CleanAsync(plan, cancellationToken);
        return await ResultAsync(input, plan, outcome.Value, cancellationToken);
    }

    private async Task<RoundOutcomeDocument> DescribeAsync(CloseInput input, RoundPlan plan, CancellationToken cancellationToken)
    {
        var seal = (await store.GetAsync(StoreNames.Seal(input.Run, input.Round), StoreJson.Default.SealDocument, cancellationToken)).Value;
        var verdicts = seal.Aggregate ? await store.ReadVerdictsAsync(plan, cancellationToken) : [];
        var before = input.Round == 1
            ? null
            : await store.FindAsync(StoreNames.RoundOutcome(input.Run, input.Round - 1), StoreJson.Default.RoundOutcomeDocument, cancellationToken);
        var published = input.Version is not null;
        var down = await DownBytesAsync(plan, cancellationToken);
        var sound = verdicts.Where(verdict => verdict.Reason is null).ToList();
        return new RoundOutcomeDocument(
            published,
            published ? null : input.Reason ?? seal.Reason,
            input.Version,
            plan.Cohort.Count,
            seal.Receipts.Count,
            sound.Count,
            verdicts.Sum(verdict => verdict.Bytes),
            down * seal.Receipts.Count,
            WeightedMetrics.Mean([.. sound.Select(verdict => (verdict.Samples, verdict.Metrics))]),
            (before?.Value.PublishedRounds ?? 0) + (published ? 1 : 0),
            published ? 0 : (before?.Value.AbandonedInRow ?? 0) + 1,
            await AccountAsync(plan, seal, down, before?.Value, cancellationToken));
    }

    private async Task<RoundAccount> AccountAsync(
        RoundPlan plan, SealDocument seal, long down, RoundOutcomeDocument? before, CancellationToken cancellationToken)
    {
        await usage.FlushAsync(plan.Run, plan.Round, cancellationToken);
        var servers = await usage.OfRoundAsync(plan.Run, plan.Round, cancellationToken);
        var earlier = ResourceUsage.None;
        if (before?.Account is { } last)
        {
            // What the last round used since it closed is the run's, too.
            earlier = last.Before + last.Devices + await usage.OfRoundAsync(plan.Run, plan.Round - 1, cancellationToken);
        }

        var size = await rounds.SizeAsync(plan, cancellationToken);
        return new RoundAccount(servers, seal.Receipts.Count * DeviceTraffic.OfOne(size, down, plan.Solver?.SentFor(plan.Training) is null ? 1 : 2), earlier);
    }

    /// <summary>
    /// What a device of the round received, at most: of its model the shortest of the whole files, and its solver's sum. Who took deltas received less;
    /// no receipt says which way was taken.
    /// </summary>
    private async Task<long> DownBytesAsync(RoundPlan plan, CancellationToken cancellationToken)
    {
        var downloads = plan.Download is { } download
            ? await store.FindAsync(StoreNames.Downloads(plan.Model, plan.BaseVersion, download), StoreJson.Default.DownloadsDocument, cancellationToken)
            : null;
        var model = downloads?.Value.Whole.Min(whole => whole.Artifact.Bytes) ?? plan.Base.Bytes;
        return model + (plan.Solver?.SentFor(plan.Training)?.Bytes ?? 0);
    }

    /// <summary>
    /// What is un-noised goes: verdicts, the accepted updates' places on the grid, what receipts claim beyond who sent them. The noised sums are emptied and
    /// keep their names. A round that was abandoned before anything was noised gives its reservation back.
    /// </summary>
    private async Task SettlePrivacyAsync(RoundPlan plan, CancellationToken cancellationToken)
    {
        var seal = (await store.GetAsync(StoreNames.Seal(plan.Run, plan.Round), StoreJson.Default.SealDocument, cancellationToken)).Value;
        if (!seal.Aggregate)
        {
            await ledger.ReleaseAsync(plan.Population, plan.Run, plan.Round, cancellationToken);
        }

        await PrivateTraces.RemoveAsync(store, plan, seal, cancellationToken);
    }

    private async Task LogAsync(CloseInput input, RoundOutcomeDocument outcome, CancellationToken cancellationToken)
    {
        var values = new SortedDictionary<string, double>(StringComparer.Ordinal)
        {
            ["cohort"] = outcome.Cohort,
            ["receipts"] = outcome.Receipts,
            ["accepted"] = outcome.Accepted,
            ["bytesUp"] = outcome.BytesUp,
            ["bytesDown"] = outcome.BytesDown,
        };
        foreach (var (metric, value) in outcome.Metrics)
        {
            values.TryAdd(metric, value);
        }

        var open = await store.FindAsync(StoreNames.Open(input.Run, input.Round), StoreJson.Default.OpenDocument, cancellationToken);
        if (open is not null)
        {
            values["seconds"] = Math.Max(0, (time.GetUtcNow() - open.Value.OpenedAt).TotalSeconds);
        }

        await log.WriteAsync(
            input.Run, input.Round, outcome.Published ? LogKind.RoundPublished : LogKind.RoundAbandoned,
            outcome.Published
                ? $"Round {input.Round} published {outcome.Version} from {outcome.Accepted} updates."
                : $"Round {input.Round} was abandoned: {outcome.Reason}.",
            null, values, cancellationToken);
    }

    /// <summary>Slices always go; raw updates go unless the run keeps them. Uploads that come later are orphans for the sweeper.</summary>
    private async Task CleanAsync(RoundPlan plan, CancellationToken cancellationToken)
    {
        for (var copy = 0; plan.ModelCopies > 1 && copy < plan.ModelCopies; copy++)
        {
            await store.DeleteAsync(StoreNames.ModelCopy(plan.Run, plan.Round, copy), cancellationToken);
        }

        for (var copy = 0; plan.DownloadCopies > 1 && copy < plan.DownloadCopies; copy++)
        {
            await store.DeleteAllAsync(StoreNames.ModelCopies(plan.Run, plan.Round, copy), cancellationToken);
        }

        await store.DeleteAllAsync(StoreNames.Slices(plan.Run, plan.Round), cancellationToken);
        if (plan.Privacy is not null)
        {
            await store.DeleteAllAsync(StoreNames.UnNoisedSums(plan.Run, plan.Round), cancellationToken);
        }

        if (plan.RetainUpdates || CleanTasks(plan) > 0)
        {
            return;
        }

        var clients = await store.ReadCohortAsync(plan, cancellationToken);
        var options = new ParallelOptions { MaxDegreeOfParallelism = 16, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(
            clients, options, async (client, token) => await store.DeleteAllAsync(StoreNames.ClientUpdates(plan.Run, plan.Round, client), token));
    }

    /// <summary>Activities that clean after this one: where the cohort is too large for one.</summary>
    private static int CleanTasks(RoundPlan plan) => plan.RetainUpdates ? 0 : RoundTasks.Of(plan, plan.Cohort.Count).CleanTasks;

    private async Task<RoundOutcome> ResultAsync(CloseInput input, RoundPlan plan, RoundOutcomeDocument outcome, CancellationToken cancellationToken)
    {
        var spec = (await store.GetAsync(StoreNames.Run(input.Run), StoreJson.Default.RunDocument, cancellationToken)).Value.Spec;
        var kind = outcome.Published ? RoundOutcomeKind.Published : RoundOutcomeKind.Abandoned;
        return new RoundOutcome(kind, outcome.Reason, outcome.Version, EvaluationRule.IsDue(spec, outcome), CleanTasks(plan));
    }
}
