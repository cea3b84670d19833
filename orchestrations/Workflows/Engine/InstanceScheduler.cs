namespace FedServerless.Workflows.Engine;

/// <summary>
/// Runs one instance's code, one slice at a time, on the engine's thread. Whatever comes back to it from anywhere else was
/// awaited outside the workflow's context and cannot be replayed.
/// </summary>
internal sealed class InstanceScheduler(Action onForeign) : SynchronizationContext
{
    // Which instance's slice runs on a thread: an engine's instances may run on as many threads as it likes.
    [ThreadStatic]
    private static InstanceScheduler? t_running;

    private readonly Queue<(SendOrPostCallback Callback, object? State)> _queue = new();
    private SynchronizationContext? _outer;

    /// <summary>True inside a slice, on its thread.</summary>
    public bool IsRunningHere => ReferenceEquals(t_running, this);

    /// <summary>Runs a slice and all it posts. An exception out of an <c>async void</c> comes out here.</summary>
    public void Run(Action slice)
    {
        var outer = Current;
        _outer = outer;
        SetSynchronizationContext(this);
        t_running = this;
        try
        {
            slice();
            while (_queue.TryDequeue(out var item))
            {
                item.Callback(item.State);
            }
        }
        finally
        {
            t_running = null;
            _queue.Clear();
            SetSynchronizationContext(outer);
        }
    }

    /// <summary>Calls, from inside a slice, what belongs to the engine: its awaits come back to where the slice was started, not into the slice.</summary>
    public T Outside<T>(Func<T> call)
    {
        SetSynchronizationContext(_outer);
        try
        {
            return call();
        }
        finally
        {
            SetSynchronizationContext(this);
        }
    }

    public override void Post(SendOrPostCallback d, object? state)
    {
        if (IsRunningHere)
        {
            _queue.Enqueue((d, state));
        }
        else
        {
            onForeign();
        }
    }

    public override void Send(SendOrPostCallback d, object? state)
    {
        if (!IsRunningHere)
        {
            onForeign();
            throw new ForeignAwaitException();
        }

        d(state);
    }

    public override SynchronizationContext CreateCopy() => this;
}
