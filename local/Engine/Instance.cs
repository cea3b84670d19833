using FedServerless.Local.Engine.Journal;
using FedServerless.Workflows.Engine;

namespace FedServerless.Local.Engine;

/// <summary>
/// A workflow instance alive in memory: its code, stopped at an await, and the calls it waits for. Touched by the engine's
/// loop only; <see cref="Committed"/> is read from anywhere.
/// </summary>
internal sealed class Instance
{
    /// <summary>Most calls of one generation, so that a journal stays short and a loop that never ends is found out.</summary>
    public const int MaxCalls = 20_000;

    /// <summary>Most wakes remembered for waits that have not begun, one for each name; further ones are lost, as wakes may be.</summary>
    public const int MaxPendingWakes = 16;

    private readonly WorkflowRegistration _code;
    private readonly MessageJson _json;
    private readonly Action<string, string> _log;
    private readonly InstanceScheduler _scheduler;
    private readonly Dictionary<int, OpenCall> _open = [];
    private readonly HashSet<string> _pendingWakes = new(StringComparer.Ordinal);
    private List<OpenCall> _fresh = [];
    private Task<TurnResult>? _turn;
    private Exception? _violation;
    private int _nextSequence;
    private int _nextOrdinal;
    private DateTimeOffset _latest;
    private volatile WorkflowStatus? _committed;

    public Instance(JournalInstance row, WorkflowRegistration code, MessageJson json, Action<string, string> log, Action<Instance> onForeign)
    {
        (Id, Workflow, Generation, Input, Status, WrittenStatus) = (row.Id, row.Workflow, row.Generation, row.Input, row.Status, row.Status);
        (_code, _json, _log) = (code, json, log);
        _latest = row.StartedAt;
        _scheduler = new InstanceScheduler(() => onForeign(this));
    }

    public string Id { get; }

    public string Workflow { get; }

    public int Generation { get; private set; }

    public string Input { get; private set; }

    public string? Status { get; set; }

    public string? WrittenStatus { get; set; }

    public DateTimeOffset Now { get; private set; }

    public bool IsReplaying { get; private set; }

    /// <summary>Its end is decided, though perhaps not yet in the journal.</summary>
    public bool IsEnded { get; set; }

    /// <summary>What the journal holds; null until the instance itself is in there.</summary>
    public WorkflowStatus? Committed
    {
        get => _committed;
        set => _committed = value;
    }

    /// <summary>Calls of other instances that wait for this one to end.</summary>
    public List<OpenCall> Waiters { get; } = [];

    public IEnumerable<OpenCall> OpenCalls => _open.Values;

    /// <summary>Runs the code from its start up to its first awaits.</summary>
    public void Begin()
    {
        Now = _latest;
        var context = new WorkflowContext(this, Generation, _json);
        Run(() => _turn = _code.RunAsync(context, Input));
    }

    /// <summary>Runs the code through all that the journal recorded.</summary>
    /// <exception cref="ReplayMismatchException">The code made other calls.</exception>
    public void Replay(IReadOnlyList<JournalEvent> history)
    {
        IsReplaying = true;
        try
        {
            Begin();
            foreach (var e in history)
            {
                if (!_open.TryGetValue(e.Sequence, out var call))
                {
                    throw new ReplayMismatchException($"The journal has the end of call {e.Sequence} ({e.Kind} '{e.Name}'), which the code did not make.");
                }

                if (!call.Matches(e))
                {
                    throw new ReplayMismatchException(
                        $"Call {e.Sequence} was {e.Kind} '{e.Name}' in the journal and is {call.Request.Kind} '{call.Request.Name}' now, or was given something else.");
                }

                call.IsAccepted = true;
                _nextOrdinal = e.Ordinal + 1;
                _latest = e.At;
                Deliver(call, e);
            }
        }
        finally
        {
            IsReplaying = false;
        }
    }

    /// <summary>Hands the end of a call to the code and runs it up to its next awaits.</summary>
    public void Deliver(OpenCall call, JournalEvent e)
    {
        _open.Remove(call.Sequence);
        if (_turn is { IsCompleted: true })
        {
            return;
        }

        Now = e.At;
        Run(() => call.Complete(e, IsReplaying));
    }

    /// <summary>The event that ends a call, next in this generation's history. Its time never goes back.</summary>
    public JournalEvent Record(OpenCall call, DateTimeOffset at, string? output, StepFailure? failure)
    {
        _latest = at > _latest ? at : _latest;
        return call.EndedAs(_nextOrdinal++, _latest, output, failure);
    }

    /// <summary>How the turn ended: a result, a failure, or neither while it runs.</summary>
    public (TurnResult? Result, StepFailure? Failure) Outcome()
    {
        if (_violation is not null)
        {
            return (null, StepFailure.From(_violation));
        }

        return _turn switch
        {
            { IsCompletedSuccessfully: true } => (_turn.Result, null),
            { IsFaulted: true } => (null, StepFailure.From(_turn.Exception.InnerException ?? _turn.Exception)),
            { IsCanceled: true } => (null, StepFailure.From(new OperationCanceledException("The workflow's code cancelled itself."))),
            _ when _open.Count == 0 => (null, StepFailure.From(new ForeignAwaitException())),
            _ => (null, null),
        };
    }

    /// <summary>The calls made since this was last asked whose end the journal does not have.</summary>
    public List<OpenCall> TakeFresh()
    {
        var fresh = _fresh;
        if (fresh.Count > 0)
        {
            _fresh = [];
            fresh.RemoveAll(static call => call.IsAccepted);
        }

        return fresh;
    }

    /// <summary>Moves on to the next generation; <see cref="Begin"/> runs it. Wakes that nobody waited for stay.</summary>
    /// <returns>When it starts.</returns>
    public DateTimeOffset NextGeneration(string input, DateTimeOffset at)
    {
        Generation++;
        Input = input;
        _latest = at > _latest ? at : _latest;
        (_nextSequence, _nextOrdinal, _turn, _violation) = (0, 0, null, null);
        _open.Clear();
        _fresh = [];
        return _latest;
    }

    /// <summary>Remembers a wake that nobody waits for.</summary>
    public void KeepWake(string name)
    {
        if (_pendingWakes.Count < MaxPendingWakes)
        {
            _pendingWakes.Add(name);
        }
    }

    /// <summary>True when a wake of this name had come before the wait.</summary>
    public bool TakeWake(string name) => _pendingWakes.Remove(name);

    /// <summary>Makes the instance fail at the next look: its code was caught outside its context.</summary>
    public void Violate() => _violation ??= new ForeignAwaitException();

    public void WriteLog(string message) => _log(Id, message);

    /// <summary>Whether the code of this generation runs here and now.</summary>
    public bool CheckCaller(int generation)
    {
        if (_scheduler.IsRunningHere && generation == Generation)
        {
            return true;
        }

        _scheduler.Post(static _ => { }, null);
        return false;
    }

    public Task<T> Open<T>(int generation, CallRequest request, Func<string, T> read)
    {
        var call = new OpenCall<T>(this, generation, NextSequence(), request, read);
        _open.Add(call.Sequence, call);
        _fresh.Add(call);
        return call.Task;
    }

    /// <summary>Counts a call, also one that is answered at once.</summary>
    public int NextSequence() => _nextSequence < MaxCalls
        ? _nextSequence++
        : throw new InvalidOperationException($"The workflow made {MaxCalls} calls in one generation: continue as new.");

    private void Run(Action slice)
    {
        try
        {
            _scheduler.Run(slice);
        }
        catch (ReplayMismatchException)
        {
            throw;
        }
#pragma warning disable CA1031 // Whatever escapes a workflow's async void fails that instance, not the engine.
        catch (Exception e)
#pragma warning restore CA1031
        {
            _violation ??= e;
        }
    }
}
