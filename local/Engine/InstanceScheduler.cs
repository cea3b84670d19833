using FedServerless.Workflows.Engine;

namespace FedServerless.Local.Engine;

/// <summary>
/// Runs one instance's code, one slice at a time, on the engine's thread. Whatever comes back to it from anywhere else was
/// awaited outside the workflow's context and cannot be replayed.
/// </summary>
internal sealed class InstanceScheduler(Action onForeign) : SynchronizationContext
{
    private readonly Queue<(SendOrPostCallback Callback, object? State)> _queue = new();
    private volatile int _thread;

    /// <summary>True inside a slice, on its thread.</summary>
    public bool IsRunningHere => _thread == Environment.CurrentManagedThreadId;

    /// <summary>Runs a slice and all it posts. An exception out of an <c>async void</c> comes out here.</summary>
    public void Run(Action slice)
    {
        var outer = Current;
        SetSynchronizationContext(this);
        _thread = Environment.CurrentManagedThreadId;
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
            _thread = 0;
            _queue.Clear();
            SetSynchronizationContext(outer);
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
