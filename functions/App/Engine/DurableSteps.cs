using System.Text.Json;
using FedServerless.Workflows.Engine;
using Microsoft.DurableTask;

namespace FedServerless.Functions.Engine;

/// <summary>
/// The calls of one generation in terms of Durable: activities, timers, events. Runs as an orchestrator does, and so decides by
/// nothing but what Durable recorded. Disposed when the turn is over: it then starts nothing more and cancels its timers, for
/// Durable ends no instance that has one.
/// </summary>
internal sealed class DurableSteps : IDisposable
{
    /// <summary>The activity that starts a child and tells how it stands.</summary>
    public const string AttachChild = "AttachChild";

    /// <summary>Durable breaks longer timers into pieces of this length.</summary>
    private static readonly TimeSpan LongestTimer = TimeSpan.FromDays(3);

    private readonly TaskOrchestrationContext _durable;
    private readonly DurableEngineOptions _options;
    private readonly CancellationTokenSource _ending = new();
    private readonly CancellationToken _over;
    private readonly Dictionary<string, Task<object?>> _waits = new(StringComparer.OrdinalIgnoreCase);
    private DateTimeOffset _now;

    public DurableSteps(TaskOrchestrationContext durable, DurableEngineOptions options)
    {
        (_durable, _options) = (durable, options);
        _over = _ending.Token;
    }

    /// <summary>Calls, timers, waits and events so far.</summary>
    public int Actions { get; private set; }

    /// <summary>The name of the event that tells the end of a child.</summary>
    public static string EndOf(string instanceId) => $"ended:{instanceId}";

    /// <summary>The time that Durable recorded; never goes back, though the clocks of hosts differ.</summary>
    public DateTimeOffset Now()
    {
        var recorded = new DateTimeOffset(DateTime.SpecifyKind(_durable.CurrentUtcDateTime, DateTimeKind.Utc));
        return _now = recorded > _now ? recorded : _now;
    }

    /// <summary>The turn is over.</summary>
    public void Dispose()
    {
        if (!_over.IsCancellationRequested)
        {
            _ending.Cancel();
            _ending.Dispose();
        }
    }

    /// <summary>Runs an activity under its retry policy and gives its output as JSON.</summary>
    /// <exception cref="WorkflowStepException">Every attempt failed.</exception>
    public async Task<string> ActivityAsync(string name, JsonElement input, RetrySpec retry)
    {
        for (var attempt = 1; ; attempt++)
        {
            var (output, fault) = await AttemptAsync(name, input);
            if (fault is null)
            {
                return output!;
            }

            if (fault.IsFinal || attempt >= retry.Attempts)
            {
                throw new WorkflowStepException(name, fault.ErrorType, fault.Message);
            }

            var pause = retry.DelayBefore(attempt + 1);
            if (pause > TimeSpan.Zero)
            {
                await TimerAsync(Now() + pause);
            }
        }
    }

    /// <summary>Waits until a moment.</summary>
    public async Task<bool> TimerAsync(DateTimeOffset until)
    {
        await SetTimer(until, _over);
        Reach(until);
        return true;
    }

    /// <summary>Waits for an event or a moment, and owns the timer.</summary>
    /// <returns>True when the event came first.</returns>
    public async Task<bool> WaitAsync(string name, DateTimeOffset until)
    {
        var woken = Wait(name);
        if (!woken.IsCompleted)
        {
            using var timer = CancellationTokenSource.CreateLinkedTokenSource(_over);
            var due = SetTimer(until, timer.Token);
            if (await Task.WhenAny(woken, due) == due)
            {
                await due;
                Reach(until);
                return false;
            }

            Cancel(timer);
        }

        Drain(name);
        return true;
    }

    /// <summary>Runs a child, or attaches to it, and gives its output as JSON.</summary>
    /// <exception cref="WorkflowStepException">It failed, or its id is another workflow's.</exception>
    public async Task<string> ChildAsync(ChildRequest request)
    {
        var message = request.Write();
        var pause = _options.FirstLook;
        while (true)
        {
            var answer = await ActivityAsync(AttachChild, message, RetrySpec.Storage);
            var child = JsonSerializer.Deserialize(answer, EnvelopeJson.Default.ChildReply)!;
            if (child.ErrorType is { } error)
            {
                throw new WorkflowStepException(request.Workflow, error, child.Error ?? "");
            }

            if (child.HasEnded)
            {
                return Json.Text(child.Output);
            }

            // A child tells its end a moment before its backend shows it, so a look that follows a wake may be too early.
            var woken = await WaitAsync(EndOf(request.InstanceId), Now() + pause);
            pause = woken ? _options.FirstLook : pause * 2 < _options.LongestLook ? pause * 2 : _options.LongestLook;
        }
    }

    private async Task<(string? Output, StepFault? Fault)> AttemptAsync(string name, JsonElement input)
    {
        _over.ThrowIfCancellationRequested();
        Actions++;
        try
        {
            var reply = StepReply.Read(await _durable.CallActivityAsync<JsonElement>(name, input));
            return (Json.Text(reply.Output), reply.Failure);
        }
        catch (TaskFailedException failed)
        {
            // Not the activity's code, which never throws, but its host: it was stopped, ran out of time or memory, or lacks the function.
            var details = failed.FailureDetails;
            return (null, new StepFault(details.ErrorType, StepFailure.Cut(details.ErrorMessage), IsFinal: false));
        }
    }

    // Not CancelAsync: that would go to another thread, and an orchestrator has none.
    private static void Cancel(CancellationTokenSource timer) => timer.Cancel();

    private Task SetTimer(DateTimeOffset until, CancellationToken cancellationToken)
    {
        _over.ThrowIfCancellationRequested();
        Actions += 1 + (int)((until - Now()) / LongestTimer);
        return _durable.CreateTimer(until.UtcDateTime, cancellationToken);
    }

    // A timer's host may be behind the clock that the moment was reckoned by.
    private void Reach(DateTimeOffset moment) => _now = moment > _now ? moment : _now;

    // One wait of a name is open at a time and outlives the caller that gave up on it: Durable hands an event to a wait that was
    // cancelled as it does to any other, and so it would be lost.
    private Task<object?> Wait(string name)
    {
        if (!_waits.TryGetValue(name, out var wait))
        {
            Actions++;
            _waits[name] = wait = _durable.WaitForExternalEvent<object?>(name);
        }

        return wait;
    }

    // However many wakes came, they ended this one wait: none may end the next, which begins after a new look at the truth. Somebody
    // who waited for the same may have been here before; then the open wait is the next one's already.
    private void Drain(string name)
    {
        while (Wait(name).IsCompleted)
        {
            _waits.Remove(name);
        }
    }
}
