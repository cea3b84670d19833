using System.Collections.Concurrent;
using System.Text.Json;
using FedServerless.Activities;
using FedServerless.Activities.State;
using FedServerless.Gateway.Runs;
using FedServerless.Storage;
using FedServerless.Workflows.Engine;
using Microsoft.Extensions.Logging;

namespace FedServerless.Gateway.Upkeep;

/// <summary>
/// Looks after started runs: one whose workflow failed, was lost, ended without an outcome or stands still is explained in the
/// run's log and recovered from blobs, a bounded number of times; then it is left to the operator, with the reason in its status.
/// A host calls it every minute or every few. Any number of hosts may do so at once: attempts are create-once names, so a
/// second one changes nothing.
/// </summary>
public sealed partial class RunWatchdog(
    IObjectStore store, IPresence presence, RunRecovery recovery, UpkeepOptions options, TimeProvider time, ILogger<RunWatchdog> logger)
{
    private readonly RunDiagnosis _diagnosis = new(store, presence, time);

    private readonly WatchLog _log = new(store, time);

    // Runs that need no look any more, by the version of their index entry: a run created anew under the same id has another.
    private readonly ConcurrentDictionary<string, string> _ended = new(StringComparer.Ordinal);

    /// <summary>One pass over all runs; returns how many it recovered. A run that cannot be looked at does not keep it from the others.</summary>
    public async Task<int> RunAsync(IWorkflowClient workflows, CancellationToken cancellationToken)
    {
        var runs = new List<ObjectFacts>();
        await foreach (var facts in store.ListAsync(StoreNames.RunIndex, cancellationToken))
        {
            if (!_ended.TryGetValue(facts.Name, out var etag) || etag != facts.ETag)
            {
                runs.Add(facts);
            }
        }

        var recovered = 0;
        foreach (var facts in runs)
        {
            var run = facts.Name[StoreNames.RunIndex.Length..];
            try
            {
                if (await store.HeadAsync(StoreNames.RunOutcome(run), cancellationToken) is not null)
                {
                    _ended[facts.Name] = facts.ETag;
                }
                else if (await WatchAsync(run, workflows, cancellationToken))
                {
                    recovered++;
                }
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                LogFailed(run, exception);
            }
        }

        return recovered;
    }

    private async Task<bool> WatchAsync(string run, IWorkflowClient workflows, CancellationToken cancellationToken)
    {
        var document = await store.FindAsync(StoreNames.Run(run), StoreJson.Default.RunDocument, cancellationToken);
        if (document is null || await store.HeadAsync(StoreNames.RunStarted(run), cancellationToken) is null)
        {
            return false;
        }

        var attempt = await store.CountAsync(StoreNames.RunRecoveries(run), cancellationToken);
        var instance = RunRecovery.InstanceId(run, attempt);
        var symptom = await _diagnosis.FindAsync(document.Value, instance, workflows, cancellationToken);
        var watch = (await store.FindAsync(StoreNames.RunWatch(run), UpkeepJson.Default.WatchDocument, cancellationToken))?.Value;
        if (symptom is null)
        {
            if (watch is not null)
            {
                await store.DeleteAsync(StoreNames.RunWatch(run), cancellationToken);
            }

            return false;
        }

        var now = time.GetUtcNow();
        if (watch is null || watch.Attempt != attempt || watch.Symptom != symptom.Kind || watch.Fingerprint != symptom.Fingerprint)
        {
            // First seen: a request that starts or recovers the run may be under way, and a wake may be all that is missing.
            await WriteAsync(run, new WatchDocument(attempt, symptom.Kind, symptom.Fingerprint, now, null), cancellationToken);
            await RunDiagnosis.WakeAsync(instance, symptom.Closed, workflows, cancellationToken);
            LogNoticed(run, symptom.Explanation);
            return false;
        }

        return watch.GaveUp is null && await ActAsync(document.Value, watch, symptom, workflows, cancellationToken);
    }

    private async Task<bool> ActAsync(
        RunDocument run, WatchDocument watch, Symptom symptom, IWorkflowClient workflows, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var (inRow, inHour) = await CountAsync(run.Id, watch.Attempt, symptom.Closed, now.AddHours(-1), cancellationToken);
        var patience = symptom.IsStuck ? options.StuckAfter : options.ConfirmAfter * Math.Min(UpkeepOptions.MaxBackOff, 1 << Math.Min(inRow, 30));
        if (now - watch.Since < patience)
        {
            return false;
        }

        if (inRow >= options.GiveUpAfter)
        {
            var reason = $"watchdog gave up after {inRow} recoveries: {symptom.Explanation}; fed run recover {run.Id} tries again";
            await _log.WriteAsync(run.Id, symptom.Closed + 1, $"{watch.Attempt}-gaveup", $"The run needs an operator: {reason}.", cancellationToken);
            await WriteAsync(run.Id, watch with { GaveUp = reason }, cancellationToken);
            LogGaveUp(run.Id, inRow, symptom.Explanation);
            return false;
        }

        if (inHour >= options.MaxRecoveriesPerHour)
        {
            return false;
        }

        var next = watch.Attempt + 1;
        await _log.WriteAsync(
            run.Id, symptom.Closed + 1, $"{next}-recovered", $"The watchdog recovers the run from what is stored (attempt {next}): {symptom.Explanation}.",
            cancellationToken);
        var isOurs = await recovery.TryRecoverAsync(
            run, next, new RecoveryDocument(now, RecoveryDocument.Watchdog, symptom.Closed), workflows, cancellationToken);
        if (isOurs)
        {
            LogRecovered(run.Id, next, symptom.Explanation);
        }

        return isOurs;
    }

    /// <summary>The watchdog's latest recoveries: those since a round closed or an operator stepped in, and those since a moment.</summary>
    private async Task<(int InRow, int InHour)> CountAsync(
        string run, int attempt, int closed, DateTimeOffset since, CancellationToken cancellationToken)
    {
        var (inRow, inHour, isRow) = (0, 0, true);
        for (; attempt > 0; attempt--)
        {
            var found = await store.FindBytesAsync(StoreNames.RunRecovery(run, attempt), cancellationToken);
            var recovery = found is { Content.Length: > 0 } bytes
                ? JsonSerializer.Deserialize(bytes.Content, UpkeepJson.Default.RecoveryDocument)
                : null;
            if (recovery is not { By: RecoveryDocument.Watchdog })
            {
                break;
            }

            isRow &= recovery.Closed == closed;
            var isRecent = recovery.At > since;
            if (!isRow && !isRecent)
            {
                break;
            }

            inRow += isRow ? 1 : 0;
            inHour += isRecent ? 1 : 0;
        }

        return (inRow, inHour);
    }

    private Task<PutResult> WriteAsync(string run, WatchDocument watch, CancellationToken cancellationToken) =>
        store.PutAsync(StoreNames.RunWatch(run), watch, UpkeepJson.Default.WatchDocument, PutCondition.Overwrite, cancellationToken);

    [LoggerMessage(3101, LogLevel.Warning, "Run {Run}: {Explanation}; the watchdog looks again")]
    private partial void LogNoticed(string run, string explanation);

    [LoggerMessage(3102, LogLevel.Warning, "Run {Run} is recovered, attempt {Attempt}: {Explanation}")]
    private partial void LogRecovered(string run, int attempt, string explanation);

    [LoggerMessage(3103, LogLevel.Error, "Run {Run}: the watchdog gave up after {Recoveries} recoveries: {Explanation}")]
    private partial void LogGaveUp(string run, int recoveries, string explanation);

    [LoggerMessage(3104, LogLevel.Warning, "The watchdog could not look after run {Run}; it tries again")]
    private partial void LogFailed(string run, Exception exception);
}
