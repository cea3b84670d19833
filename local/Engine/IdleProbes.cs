namespace FedServerless.Local.Engine;

/// <summary>Who wants to know when the engine has nothing to do; the answer is the time of its next timer.</summary>
internal sealed class IdleProbes
{
    private readonly Lock _gate = new();
    private List<TaskCompletionSource<DateTimeOffset?>> _waiting = [];
    private DateTimeOffset? _stalledUntil;

    public Task<DateTimeOffset?> Add()
    {
        var probe = new TaskCompletionSource<DateTimeOffset?>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            if (_stalledUntil is { } until)
            {
                probe.SetResult(until);
            }
            else
            {
                _waiting.Add(probe);
            }
        }

        return probe.Task;
    }

    public void AnswerAll(DateTimeOffset? nextDue)
    {
        List<TaskCompletionSource<DateTimeOffset?>> waiting;
        lock (_gate)
        {
            if (_waiting.Count == 0)
            {
                return;
            }

            (waiting, _waiting) = (_waiting, []);
        }

        foreach (var probe in waiting)
        {
            probe.SetResult(nextDue);
        }
    }

    /// <summary>Answers every probe at once until disposed: the loop waits for the journal and moves at <paramref name="until"/>.</summary>
    public IDisposable AnswerWhile(DateTimeOffset until)
    {
        lock (_gate)
        {
            _stalledUntil = until;
        }

        AnswerAll(until);
        return new Stall(this);
    }

    private sealed class Stall(IdleProbes probes) : IDisposable
    {
        public void Dispose()
        {
            lock (probes._gate)
            {
                probes._stalledUntil = null;
            }
        }
    }
}
