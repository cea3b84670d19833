using System.Collections.Concurrent;
using System.Threading.Channels;
using FedServerless.Local.Engine.Journal;
using FedServerless.Workflows.Engine;
using Microsoft.Extensions.Logging;

namespace FedServerless.Local.Engine;

/// <summary>
/// The engine's one thread of thought. It takes what has happened from a mailbox, writes all of it to the journal in one
/// transaction, and only then lets workflows react, which yields the next writes. While a commit is on its way to the disk,
/// activities go on and the mailbox fills: that is what makes the next commit carry many results.
/// </summary>
internal sealed partial class EngineLoop : IDisposable
{
    private readonly Registry _registry;
    private readonly IJournal _journal;
    private readonly EmbeddedEngineOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly IServiceProvider? _services;
    private readonly Channel<Action> _mailbox = Channel.CreateUnbounded<Action>(new UnboundedChannelOptions { SingleReader = true });
    private readonly ConcurrentDictionary<string, Instance> _live = new(StringComparer.Ordinal);
    private readonly HashSet<string> _purging = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _stopping = new();
    private readonly ActivityPool _pool;
    private readonly TimerQueue _timers;
    private readonly IdleProbes _probes = new();
    private JournalBatch _batch = new();
    private volatile string? _trouble;

    public EngineLoop(Registry registry, IJournal journal, EmbeddedEngineOptions options, TimeProvider time, ILogger logger, IServiceProvider? services)
    {
        (_registry, _journal, _options, _time, _logger, _services) = (registry, journal, options, time, logger, services);
        _pool = new ActivityPool(options.MaxConcurrentActivities, RunAttemptAsync, () => Post(static () => { }));
        _timers = new TimerQueue(time, options.ClockCheckInterval, () => Post(static () => { }));
    }

    /// <summary>Why the journal cannot be written at the moment, or why the engine ended; null when all is well.</summary>
    public string? Trouble => _trouble;

    /// <summary>Opens the journal and queues every running instance for replay.</summary>
    public void Load()
    {
        _journal.Open();
        foreach (var row in _journal.ReadRunning())
        {
            if (_registry.Workflows.TryGetValue(row.Workflow, out var code))
            {
                var history = _journal.ReadEvents(row.Id, row.Generation);
                var instance = Add(row, code);
                instance.Committed = View(row);
                Post(() => Replay(instance, history));
            }
            else
            {
                FailUnknown(row);
            }
        }
    }

    /// <summary>Runs until stopped. Throws when the engine cannot go on: the journal is unreadable, or the engine has a bug.</summary>
    public async Task RunAsync()
    {
        try
        {
            while (true)
            {
                while (_mailbox.Reader.TryRead(out var action))
                {
                    action();
                }

                _timers.FireDue();
                if (_batch.HasWork)
                {
                    await CommitAsync();
                    continue;
                }

                if (!_timers.Arm() || !AnswerProbesIfIdle())
                {
                    continue;
                }

                if (!await _mailbox.Reader.WaitToReadAsync())
                {
                    return;
                }
            }
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // Stopped while the journal could not be written: what is not in there will be done again.
        }
        catch (Exception e)
        {
            _trouble = e.Message;
            LogEngineEnded(e);
            throw;
        }
        finally
        {
            _mailbox.Writer.TryComplete();
            await _stopping.CancelAsync();
            await _pool.StopAsync();
            _probes.AnswerAll(null);
        }
    }

    /// <summary>Cancels activities, waits for them, writes what they had finished, and lets <see cref="RunAsync"/> return.</summary>
    public async Task StopAsync()
    {
        await _stopping.CancelAsync();
        await _pool.StopAsync();
        _mailbox.Writer.TryComplete();
    }

    /// <summary>Queues something for the loop; false once it has ended.</summary>
    public bool Post(Action action) => _mailbox.Writer.TryWrite(action);

    /// <summary>What the journal holds of an instance.</summary>
    public WorkflowStatus? Find(string instanceId) =>
        _live.TryGetValue(instanceId, out var instance) && instance.Committed is { } view ? view
        : _journal.Find(instanceId) is { } row ? View(row)
        : null;

    /// <summary>Completes when nothing runs and nothing is queued, with the time of the next timer.</summary>
    public Task<DateTimeOffset?> WhenIdleAsync()
    {
        var answer = _probes.Add();
        if (!Post(static () => { }))
        {
            _probes.AnswerAll(null);
        }

        return answer;
    }

    public void Dispose()
    {
        _timers.Dispose();
        _stopping.Dispose();
    }

    private static WorkflowStatus View(JournalInstance row) => new(row.Id, row.Phase, row.Status, row.Output, row.Failure?.ToString());

    private bool AnswerProbesIfIdle()
    {
        // In this order: an attempt posts its end before it stops being outstanding.
        if (_pool.Outstanding > 0)
        {
            return true;
        }

        if (_mailbox.Reader.TryPeek(out _))
        {
            return false;
        }

        _probes.AnswerAll(_timers.NextDue);
        return true;
    }

    private async Task CommitAsync()
    {
        var batch = _batch;
        _batch = new JournalBatch();
        if (batch.Writes.Count > 0)
        {
            await WriteAsync(batch.Writes);
            EngineMetrics.Commits.Add(1);
        }

        _purging.Clear();
        foreach (var action in batch.After)
        {
            action();
        }
    }

    private async Task WriteAsync(IReadOnlyList<JournalWrite> writes)
    {
        for (var delay = _options.JournalRetryDelay; ; delay = Min(delay * 2, _options.MaxJournalRetryDelay))
        {
            try
            {
                _journal.Commit(writes);
                if (_trouble is not null)
                {
                    _trouble = null;
                    LogJournalRecovered();
                }

                return;
            }
            catch (JournalException e) when (e.Fault is not JournalFault.Unreadable)
            {
                _trouble = e.Message;
                LogJournalUnavailable(e, delay);
            }

            // Nothing is lost meanwhile: the batch waits here, finished activities wait in the mailbox, no workflow moves.
            var wait = Task.Delay(delay, _time, _stopping.Token);
            using (_probes.AnswerWhile(_time.GetUtcNow() + delay))
            {
                await wait;
            }
        }
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
