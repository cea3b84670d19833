using FedServerless.Local.Engine.Journal;
using FedServerless.Workflows.Engine;

namespace FedServerless.Local.Engine;

/// <summary>Births, turns and ends of instances.</summary>
internal sealed partial class EngineLoop
{
    private static readonly TimeSpan ReadRetryDelay = TimeSpan.FromSeconds(1);

    /// <summary>Starts an instance unless its id is known. Answers when the answer is durable.</summary>
    public void Start(string id, string workflow, string input, TaskCompletionSource<bool> answer)
    {
        try
        {
            if (_live.ContainsKey(id) || FindEnded(id) is not null)
            {
                _batch.Then(() => answer.TrySetResult(false));
                return;
            }
        }
        catch (JournalException e)
        {
            answer.TrySetException(e);
            return;
        }

        Create(id, workflow, _registry.Workflows[workflow], input);
        _batch.Then(() => answer.TrySetResult(true));
    }

    /// <summary>Ends the waits of an instance for an event, or remembers the wake for one.</summary>
    public void Wake(string id, string name)
    {
        if (!_live.TryGetValue(id, out var instance) || instance.IsEnded)
        {
            return;
        }

        var waits = instance.OpenCalls
            .Where(call => !call.IsAccepted && call.Request is CallRequest.ForEvent e && e.Event == name)
            .ToList();
        if (waits.Count == 0)
        {
            instance.KeepWake(name);
        }

        foreach (var wait in waits)
        {
            Accept(wait, "true", null);
        }
    }

    /// <summary>Forgets an instance that has ended.</summary>
    public void Purge(string id, TaskCompletionSource<bool> answer)
    {
        try
        {
            if (_live.ContainsKey(id) || FindEnded(id) is null or { Phase: WorkflowPhase.Running })
            {
                _batch.Then(() => answer.TrySetResult(false));
                return;
            }
        }
        catch (JournalException e)
        {
            answer.TrySetException(e);
            return;
        }

        _purging.Add(id);
        _batch.Add(new JournalWrite.Purge(id), () => answer.TrySetResult(true));
    }

    private JournalInstance? FindEnded(string id) => _purging.Contains(id) ? null : _journal.Find(id);

    private Instance Add(JournalInstance row, WorkflowRegistration code)
    {
        var instance = new Instance(row, code, _registry.Json, LogWorkflow, OnForeign);
        _live[row.Id] = instance;
        return instance;
    }

    private Instance Create(string id, string workflow, WorkflowRegistration code, string input)
    {
        var row = new JournalInstance(id, workflow, 0, input, _time.GetUtcNow(), WorkflowPhase.Running, null, null, null);
        var instance = Add(row, code);
        _batch.Add(new JournalWrite.Create(id, workflow, input, row.StartedAt), () =>
        {
            instance.Committed = View(row);
            LogInstanceStarted(id, workflow);
            Begin(instance);
        });
        return instance;
    }

    private void FailUnknown(JournalInstance row)
    {
        LogUnknownWorkflow(row.Id, row.Workflow);
        var failure = new StepFailure("UnknownWorkflow", $"This build has no workflow '{row.Workflow}'. Run the build that has it, or start the work anew.");
        _batch.Add(new JournalWrite.Fail(row.Id, failure), static () => { });
    }

    private void Begin(Instance instance)
    {
        instance.Begin();
        AfterSlice(instance);
    }

    private void Replay(Instance instance, IReadOnlyList<JournalEvent> history)
    {
        try
        {
            instance.Replay(history);
        }
        catch (ReplayMismatchException e)
        {
            // The journal is of other code. Outputs are create-once objects, so running from the input again finds them.
            LogReplayMismatch(instance.Id, instance.Workflow, e.Message);
            EngineMetrics.ReplayRestarts.Add(1);
            Interlocked.Increment(ref _replayRestarts);
            Continue(instance, instance.Input);
            return;
        }

        AfterSlice(instance);
    }

    private void Deliver(OpenCall call, JournalEvent e)
    {
        if (!call.IsStale)
        {
            call.Instance.Deliver(call, e);
            AfterSlice(call.Instance);
        }
    }

    private void AfterSlice(Instance instance)
    {
        if (instance.Status is { } status && status != instance.WrittenStatus)
        {
            instance.WrittenStatus = status;
            _batch.Add(new JournalWrite.SetStatus(instance.Id, status), () => instance.Committed = instance.Committed! with { Status = status });
        }

        switch (instance.Outcome())
        {
            case (_, { } failure):
                instance.IsEnded = true;
                LogInstanceFailed(instance.Id, instance.Workflow, failure.ErrorType, failure.Message);
                EngineMetrics.WorkflowsFailed.Add(1);
                End(instance, new JournalWrite.Fail(instance.Id, failure), null, failure);
                break;
            case ({ IsAgain: true } again, _):
                Continue(instance, again.Json);
                break;
            case ({ } done, _):
                instance.IsEnded = true;
                End(instance, new JournalWrite.Complete(instance.Id, done.Json), done.Json, null);
                break;
            default:
                foreach (var call in instance.TakeFresh())
                {
                    Launch(call);
                }

                break;
        }
    }

    private void Continue(Instance instance, string input)
    {
        CancelTimers(instance);
        var at = instance.NextGeneration(input, _time.GetUtcNow());
        var generation = instance.Generation;
        _batch.Add(new JournalWrite.NextGeneration(instance.Id, generation, input, at), () => Begin(instance));
    }

    private void End(Instance instance, JournalWrite write, string? output, StepFailure? failure)
    {
        CancelTimers(instance);
        _batch.Add(write, () =>
        {
            var phase = failure is null ? WorkflowPhase.Completed : WorkflowPhase.Failed;
            instance.Committed = instance.Committed! with { Phase = phase, Output = output, Error = failure?.ToString() };
            _live.TryRemove(instance.Id, out _);
            LogInstanceEnded(instance.Id, instance.Workflow, phase);
            foreach (var waiter in instance.Waiters)
            {
                Accept(waiter, output, failure);
            }
        });
    }

    private void CancelTimers(Instance instance)
    {
        foreach (var call in instance.OpenCalls)
        {
            _timers.Cancel(call.Timer);
        }
    }

    private void OnForeign(Instance instance) => Post(() =>
    {
        if (!instance.IsEnded)
        {
            instance.Violate();
            AfterSlice(instance);
        }
    });
}
