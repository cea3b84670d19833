using System.Collections.Concurrent;
using FedServerless.Activities.State;
using FedServerless.Gateway.Runs;
using FedServerless.Storage;
using FedServerless.Workflows;
using FedServerless.Workflows.Engine;
using Microsoft.Extensions.Logging;

namespace FedServerless.Gateway.Upkeep;

/// <summary>
/// Has the engine forget the instances of ended runs and closed rounds after a while. Their names follow from blobs, so no engine
/// is ever listed, and a pass does a bounded piece and remembers how far it came. Nothing but blobs is needed to show a run later.
/// </summary>
public sealed partial class InstancePurge(IObjectStore store, UpkeepOptions options, TimeProvider time, ILogger<InstancePurge> logger)
{
    private readonly ConcurrentDictionary<string, string> _done = new(StringComparer.Ordinal);

    /// <summary>One pass of at most <see cref="UpkeepOptions.MaxPurgesPerPass"/> purges; returns how many instances went.</summary>
    public async Task<int> RunAsync(IWorkflowClient workflows, CancellationToken cancellationToken)
    {
        var runs = new List<ObjectFacts>();
        await foreach (var facts in store.ListAsync(StoreNames.RunIndex, cancellationToken))
        {
            if (!_done.TryGetValue(facts.Name, out var etag) || etag != facts.ETag)
            {
                runs.Add(facts);
            }
        }

        var window = new Window(workflows, options.MaxPurgesPerPass);
        foreach (var facts in runs)
        {
            if (window.Left == 0)
            {
                break;
            }

            var run = facts.Name[StoreNames.RunIndex.Length..];
            try
            {
                if (await PurgeAsync(run, window, cancellationToken))
                {
                    _done[facts.Name] = facts.ETag;
                }
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                LogFailed(run, exception);
            }
        }

        if (window.Gone > 0)
        {
            LogPurged(window.Gone);
        }

        return window.Gone;
    }

    /// <summary>Goes on with one run; true when nothing of it will ever be left to purge.</summary>
    private async Task<bool> PurgeAsync(string run, Window window, CancellationToken cancellationToken)
    {
        var cursor = (await store.FindAsync(StoreNames.RunPurge(run), UpkeepJson.Default.PurgeDocument, cancellationToken))?.Value ?? new PurgeDocument(0, false);
        if (cursor.Done)
        {
            return true;
        }

        var before = time.GetUtcNow() - options.KeepInstancesFor;
        var outcome = await store.HeadAsync(StoreNames.RunOutcome(run), cancellationToken);
        var hasEnded = outcome is not null && outcome.LastModified < before;
        var attempts = -1;
        var through = cursor.Through;
        while (window.Left > 0 && await IsOverAsync(run, through + 1, hasEnded, before, cancellationToken))
        {
            attempts = attempts < 0 ? await store.CountAsync(StoreNames.RunRecoveries(run), cancellationToken) : attempts;
            through++;
            await PurgeRoundAsync(run, through, attempts, window, cancellationToken);
        }

        var isDone = hasEnded && window.Left > 0 && await PurgeRunAsync(run, window, cancellationToken);
        if (isDone || through > cursor.Through)
        {
            await store.PutAsync(
                StoreNames.RunPurge(run), new PurgeDocument(through, isDone), UpkeepJson.Default.PurgeDocument, PutCondition.Overwrite, cancellationToken);
        }

        return isDone;
    }

    /// <summary>
    /// True for a round whose instances nobody asks for again. A run that goes on may look once more at the round before the one it
    /// is in, for its evaluation: so a round counts as over when the next one is too.
    /// </summary>
    private async Task<bool> IsOverAsync(string run, int round, bool hasEnded, DateTimeOffset before, CancellationToken cancellationToken)
    {
        var closed = await store.HeadAsync(StoreNames.RoundOutcome(run, round), cancellationToken);
        if (closed is null || hasEnded)
        {
            return closed is not null;
        }

        return closed.LastModified < before
            && await store.HeadAsync(StoreNames.RoundOutcome(run, round + 1), cancellationToken) is { } next
            && next.LastModified < before;
    }

    private async Task PurgeRoundAsync(string run, int round, int attempts, Window window, CancellationToken cancellationToken)
    {
        for (var attempt = 0; attempt <= attempts; attempt++)
        {
            var instance = RunRecovery.InstanceId(run, attempt);
            foreach (var part in await store.OfRoundAsync(run, round, instance, cancellationToken))
            {
                await window.PurgeAsync(part, cancellationToken);
            }
        }
    }

    /// <summary>The run's own instances; false while one still runs.</summary>
    private async Task<bool> PurgeRunAsync(string run, Window window, CancellationToken cancellationToken)
    {
        var attempts = await store.CountAsync(StoreNames.RunRecoveries(run), cancellationToken);
        var isDone = true;
        for (var attempt = 0; attempt <= attempts; attempt++)
        {
            isDone &= await window.PurgeOrWakeAsync(RunRecovery.InstanceId(run, attempt), cancellationToken);
        }

        return isDone;
    }

    [LoggerMessage(3111, LogLevel.Information, "Purged {Instances} ended workflow instances")]
    private partial void LogPurged(int instances);

    [LoggerMessage(3112, LogLevel.Warning, "Purging the instances of run {Run} failed; it is tried again")]
    private partial void LogFailed(string run, Exception exception);

    private sealed class Window(IWorkflowClient workflows, int size)
    {
        public int Left { get; private set; } = size;

        public int Gone { get; private set; }

        public async Task PurgeAsync(string instance, CancellationToken cancellationToken)
        {
            Left = Math.Max(0, Left - 1);
            Gone += await workflows.PurgeAsync(instance, cancellationToken) ? 1 : 0;
        }

        public async Task<bool> PurgeOrWakeAsync(string instance, CancellationToken cancellationToken)
        {
            if (await workflows.GetStatusAsync(instance, cancellationToken) is { Phase: WorkflowPhase.Running })
            {
                // An older attempt that still waits: woken, it finds the outcome and ends.
                await workflows.WakeAsync(instance, WakeEvents.Control, cancellationToken);
                await workflows.WakeAsync(instance, WakeEvents.Clients, cancellationToken);
                return false;
            }

            await PurgeAsync(instance, cancellationToken);
            return true;
        }
    }
}
