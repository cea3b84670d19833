using FedServerless.Workflows.Engine;

namespace FedServerless.Local.Engine.Journal;

/// <summary>An instance as the journal holds it.</summary>
/// <param name="Id">The caller's id.</param>
/// <param name="Workflow">The workflow's name.</param>
/// <param name="Generation">0, and one more for each continue-as-new or restart.</param>
/// <param name="Input">This generation's input as JSON.</param>
/// <param name="StartedAt">When this generation began: its first <see cref="IWorkflowContext.UtcNow"/>.</param>
/// <param name="Phase">Where it stands.</param>
/// <param name="Status">The last status it set.</param>
/// <param name="Output">Its output as JSON once completed.</param>
/// <param name="Failure">Why it failed.</param>
public sealed record JournalInstance(
    string Id,
    string Workflow,
    int Generation,
    string Input,
    DateTimeOffset StartedAt,
    WorkflowPhase Phase,
    string? Status,
    string? Output,
    StepFailure? Failure);

/// <summary>The recorded end of one call of a workflow.</summary>
/// <param name="Ordinal">Position in the generation's history, from 0: the order of delivery.</param>
/// <param name="Sequence">Which call of the generation ended, from 0: the order in which the code made them.</param>
/// <param name="Kind">What kind of call.</param>
/// <param name="Name">The activity, workflow or event; empty for a timer.</param>
/// <param name="Digest">Of what the call was given; with <paramref name="Kind"/> and <paramref name="Name"/> it must match on replay.</param>
/// <param name="At">When: the workflow's clock from here to the next event.</param>
/// <param name="Output">The result as JSON, or null when the call failed.</param>
/// <param name="Failure">Why the call failed, or null.</param>
public sealed record JournalEvent(
    int Ordinal,
    int Sequence,
    CallKind Kind,
    string Name,
    string Digest,
    DateTimeOffset At,
    string? Output,
    StepFailure? Failure);

/// <summary>The kinds of call that a journal records. Numbers are stored: never renumber.</summary>
public enum CallKind
{
    /// <summary>An activity.</summary>
    Activity = 0,

    /// <summary>A sub-workflow.</summary>
    Workflow = 1,

    /// <summary>A timer.</summary>
    Timer = 2,

    /// <summary>A wait for an event with a deadline.</summary>
    Event = 3,
}

/// <summary>One change to the journal.</summary>
/// <param name="InstanceId">Whose.</param>
public abstract record JournalWrite(string InstanceId)
{
    /// <summary>A new instance; nothing when the id exists.</summary>
    public sealed record Create(string InstanceId, string Workflow, string Input, DateTimeOffset At) : JournalWrite(InstanceId);

    /// <summary>A call ended.</summary>
    public sealed record Append(string InstanceId, int Generation, JournalEvent Event) : JournalWrite(InstanceId);

    /// <summary>The status changed.</summary>
    public sealed record SetStatus(string InstanceId, string Status) : JournalWrite(InstanceId);

    /// <summary>A new generation begins with <paramref name="Input"/>; the events of all earlier ones are forgotten.</summary>
    public sealed record NextGeneration(string InstanceId, int Generation, string Input, DateTimeOffset At) : JournalWrite(InstanceId);

    /// <summary>The instance completed; its events are forgotten.</summary>
    public sealed record Complete(string InstanceId, string Output) : JournalWrite(InstanceId);

    /// <summary>The instance failed; its events stay for whoever looks into it, until it is purged.</summary>
    public sealed record Fail(string InstanceId, StepFailure Failure) : JournalWrite(InstanceId);

    /// <summary>The instance and its events are forgotten.</summary>
    public sealed record Purge(string InstanceId) : JournalWrite(InstanceId);
}
