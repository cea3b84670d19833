using FedServerless.Workflows.Engine;

namespace FedServerless.Local.Engine;

/// <summary>Runs queued work in order of arrival, so much at once and no more, without waiting for the journal in between.</summary>
/// <param name="maxConcurrent">Attempts at once.</param>
/// <param name="run">One attempt; it reports its own end.</param>
/// <param name="onIdle">
/// Called after the last outstanding attempt is no longer outstanding. An attempt reports its end before that, so whoever looked
/// in between saw it outstanding and needs to look again.
/// </param>
internal sealed class ActivityPool(int maxConcurrent, Func<ActivityAttempt, Task> run, Action onIdle)
{
    private readonly Lock _gate = new();
    private readonly Queue<ActivityAttempt> _queue = new();
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _workers;
    private int _outstanding;
    private bool _isStopped;

    /// <summary>Attempts queued or running. Falls only after an attempt has reported its end.</summary>
    public int Outstanding => Volatile.Read(ref _outstanding);

    public void Enqueue(ActivityAttempt attempt)
    {
        lock (_gate)
        {
            if (_isStopped)
            {
                return;
            }

            _queue.Enqueue(attempt);
            Interlocked.Increment(ref _outstanding);
            if (_workers == maxConcurrent)
            {
                return;
            }

            _workers++;
        }

        _ = Task.Run(WorkAsync);
    }

    /// <summary>Starts no more work; completes when what runs has ended.</summary>
    public Task StopAsync()
    {
        lock (_gate)
        {
            _isStopped = true;
            if (_workers == 0)
            {
                _drained.TrySetResult();
            }
        }

        return _drained.Task;
    }

    private async Task WorkAsync()
    {
        while (TryTake(out var attempt))
        {
            try
            {
                await run(attempt);
            }
            finally
            {
                if (Interlocked.Decrement(ref _outstanding) == 0)
                {
                    onIdle();
                }
            }
        }
    }

    private bool TryTake(out ActivityAttempt attempt)
    {
        lock (_gate)
        {
            attempt = default;
            if (!_isStopped && _queue.TryDequeue(out attempt))
            {
                return true;
            }

            _workers--;
            if (_isStopped && _workers == 0)
            {
                _drained.TrySetResult();
            }

            return false;
        }
    }
}

/// <summary>One attempt at an activity.</summary>
/// <param name="Call">The call it is for.</param>
/// <param name="Code">What to run.</param>
/// <param name="Number">1 for the first attempt since the engine started.</param>
internal readonly record struct ActivityAttempt(OpenCall Call, ActivityRegistration Code, int Number);
