using FedServerless.Local.Engine.Journal;
using FedServerless.Workflows.Engine;

namespace FedServerless.Local.Engine;

/// <summary>A call that a workflow made and whose end has not been delivered to it.</summary>
internal abstract class OpenCall(Instance instance, int generation, int sequence, CallRequest request)
{
    private readonly string _digest = MessageJson.Digest(request.Given);

    public Instance Instance => instance;

    public int Generation => generation;

    public int Sequence => sequence;

    public CallRequest Request => request;

    /// <summary>An end is in the journal or on its way there; any other is dropped.</summary>
    public bool IsAccepted { get; set; }

    /// <summary>The pending timer of a wait, a retry or a timer.</summary>
    public TimerQueue.Entry? Timer { get; set; }

    /// <summary>The instance has ended or moved on: nobody waits for this call any more.</summary>
    public bool IsStale => instance.IsEnded || instance.Generation != generation;

    public JournalEvent EndedAs(int ordinal, DateTimeOffset at, string? output, StepFailure? failure) =>
        new(ordinal, sequence, request.Kind, request.Name, _digest, at, output, failure);

    public bool Matches(JournalEvent e) =>
        e.Kind == request.Kind
        && string.Equals(e.Name, request.Name, StringComparison.Ordinal)
        && string.Equals(e.Digest, _digest, StringComparison.Ordinal);

    /// <summary>Hands the end to the workflow's code; inside a slice.</summary>
    public abstract void Complete(JournalEvent e, bool replaying);
}

/// <inheritdoc/>
internal sealed class OpenCall<T>(Instance instance, int generation, int sequence, CallRequest request, Func<string, T> read)
    : OpenCall(instance, generation, sequence, request)
{
    // Continuations run inside SetResult: the slice that delivers an event is the slice that reacts to it.
    private readonly TaskCompletionSource<T> _completion = new();

    public Task<T> Task => _completion.Task;

    public override void Complete(JournalEvent e, bool replaying)
    {
        if (e.Failure is { } failure)
        {
            _completion.SetException(new WorkflowStepException(Request.Name, failure.ErrorType, failure.Message));
            return;
        }

        T result;
        try
        {
            result = read(e.Output!);
        }
        catch (WorkflowMessageException mismatch) when (replaying)
        {
            throw new ReplayMismatchException(mismatch.Message);
        }
        catch (WorkflowMessageException mismatch)
        {
            _completion.SetException(mismatch);
            return;
        }

        _completion.SetResult(result);
    }
}

/// <summary>What a workflow asked for.</summary>
/// <param name="Kind">The kind of call.</param>
/// <param name="Name">The activity, workflow or event.</param>
/// <param name="Given">All that must be the same when the call is made again on replay.</param>
internal abstract record CallRequest(CallKind Kind, string Name, string Given)
{
    public sealed record ToActivity(string Activity, string Input, RetrySpec Retry)
        : CallRequest(CallKind.Activity, Activity, Input);

    public sealed record ToWorkflow(string Workflow, string ChildId, string Input)
        : CallRequest(CallKind.Workflow, Workflow, $"{ChildId} {Input}");

    public sealed record ForTime(DateTimeOffset Until)
        : CallRequest(CallKind.Timer, "", $"{Until.UtcTicks}");

    public sealed record ForEvent(string Event, DateTimeOffset Until)
        : CallRequest(CallKind.Event, Event, $"{Until.UtcTicks}");
}

/// <summary>The code made other calls than the journal recorded.</summary>
internal sealed class ReplayMismatchException(string message) : Exception(message);
