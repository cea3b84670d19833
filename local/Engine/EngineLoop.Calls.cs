using FedServerless.Local.Engine.Journal;
using FedServerless.Workflows.Engine;

namespace FedServerless.Local.Engine;

/// <summary>What calls ask for, and how they end.</summary>
internal sealed partial class EngineLoop
{
    private int _replayRestarts;

    /// <summary>Instances that were restarted from their input because their journal did not match the code.</summary>
    public int ReplayRestarts => Volatile.Read(ref _replayRestarts);

    /// <summary>Sees to a call that has no end in the journal: for the first time, or again after a restart.</summary>
    private void Launch(OpenCall call)
    {
        switch (call.Request)
        {
            case CallRequest.ToActivity request:
                LaunchActivity(call, request);
                break;
            case CallRequest.ToWorkflow request:
                LaunchWorkflow(call, request);
                break;
            case CallRequest.ForTime request:
                call.Timer = _timers.Add(request.Until, () => Accept(call, "true", null, request.Until));
                break;
            case CallRequest.ForEvent request when call.Instance.TakeWake(request.Event):
                Accept(call, "true", null);
                break;
            case CallRequest.ForEvent request:
                call.Timer = _timers.Add(request.Until, () => Accept(call, "false", null, request.Until));
                break;
            default:
                throw new InvalidOperationException($"Unknown call {call.Request.GetType().Name}.");
        }
    }

    private void LaunchActivity(OpenCall call, CallRequest.ToActivity request)
    {
        if (_registry.Activities.TryGetValue(request.Activity, out var code))
        {
            _pool.Enqueue(new ActivityAttempt(call, code, 1));
        }
        else
        {
            Accept(call, null, new StepFailure("UnknownActivity", $"This build has no activity '{request.Activity}'."));
        }
    }

    private void LaunchWorkflow(OpenCall call, CallRequest.ToWorkflow request)
    {
        if (call.IsStale)
        {
            return;
        }

        if (request.ChildId == call.Instance.Id)
        {
            Accept(call, null, new StepFailure("OwnId", "A workflow cannot wait for itself."));
            return;
        }

        if (_live.TryGetValue(request.ChildId, out var child))
        {
            Attach(call, request, child);
            return;
        }

        JournalInstance? ended;
        try
        {
            ended = FindEnded(request.ChildId);
        }
        catch (JournalException e)
        {
            LogJournalUnavailable(e, ReadRetryDelay);
            call.Timer = _timers.Add(_time.GetUtcNow() + ReadRetryDelay, () => LaunchWorkflow(call, request));
            return;
        }

        if (ended is { Phase: WorkflowPhase.Running })
        {
            // Not alive, yet running in the journal: its end is in this very batch.
            _batch.Then(() => LaunchWorkflow(call, request));
        }
        else if (ended is not null && ended.Workflow != request.Workflow)
        {
            Accept(call, null, IdTaken(request, ended.Workflow));
        }
        else if (ended is not null)
        {
            Accept(call, ended.Output, ended.Failure);
        }
        else if (_registry.Workflows.TryGetValue(request.Workflow, out var code))
        {
            Create(request.ChildId, request.Workflow, code, request.Input).Waiters.Add(call);
        }
        else
        {
            Accept(call, null, new StepFailure("UnknownWorkflow", $"This build has no workflow '{request.Workflow}'."));
        }
    }

    private void Attach(OpenCall call, CallRequest.ToWorkflow request, Instance child)
    {
        if (child.Workflow == request.Workflow)
        {
            child.Waiters.Add(call);
        }
        else
        {
            Accept(call, null, IdTaken(request, child.Workflow));
        }
    }

    private static StepFailure IdTaken(CallRequest.ToWorkflow request, string workflow) =>
        new("InstanceIdTaken", $"Id '{request.ChildId}' belongs to a '{workflow}'.");

    /// <summary>Takes the first end of a call: it goes to the journal, and from there to the workflow.</summary>
    private void Accept(OpenCall call, string? output, StepFailure? failure, DateTimeOffset notBefore = default)
    {
        if (call.IsAccepted || call.IsStale)
        {
            return;
        }

        call.IsAccepted = true;
        _timers.Cancel(call.Timer);
        var now = _time.GetUtcNow();
        var e = call.Instance.Record(call, now > notBefore ? now : notBefore, output, failure);
        _batch.Add(new JournalWrite.Append(call.Instance.Id, call.Generation, e), () => Deliver(call, e));
        EngineMetrics.Events.Add(1);
    }

    private async Task RunAttemptAsync(ActivityAttempt attempt)
    {
        var request = (CallRequest.ToActivity)attempt.Call.Request;
        try
        {
            var output = await attempt.Code.RunAsync(_services, request.Input, _stopping.Token);
            Post(() => Accept(attempt.Call, output, null));
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // The engine is stopping; the next one runs it again.
        }
#pragma warning disable CA1031 // Any exception of an activity means "again".
        catch (Exception e)
#pragma warning restore CA1031
        {
            Post(() => AttemptFailed(attempt, request, e));
        }
    }

    private void AttemptFailed(ActivityAttempt attempt, CallRequest.ToActivity request, Exception e)
    {
        if (attempt.Call.IsStale)
        {
            return;
        }

        EngineMetrics.AttemptsFailed.Add(1);
        if (attempt.Number >= request.Retry.Attempts || e is WorkflowMessageException)
        {
            LogActivityFailed(e, request.Activity, attempt.Call.Instance.Id, attempt.Number);
            Accept(attempt.Call, null, StepFailure.From(e));
            return;
        }

        var delay = request.Retry.DelayBefore(attempt.Number + 1);
        LogAttemptFailed(e, request.Activity, attempt.Call.Instance.Id, attempt.Number, request.Retry.Attempts, delay);
        attempt.Call.Timer = _timers.Add(_time.GetUtcNow() + delay, () => _pool.Enqueue(attempt with { Number = attempt.Number + 1 }));
    }
}
