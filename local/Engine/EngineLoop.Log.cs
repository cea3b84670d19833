using FedServerless.Workflows.Engine;
using Microsoft.Extensions.Logging;

namespace FedServerless.Local.Engine;

internal sealed partial class EngineLoop
{
    [LoggerMessage(EngineEventIds.InstanceStarted, LogLevel.Debug, "Started {Workflow} {InstanceId}")]
    private partial void LogInstanceStarted(string instanceId, string workflow);

    [LoggerMessage(EngineEventIds.InstanceEnded, LogLevel.Debug, "{Workflow} {InstanceId} ended {Phase}")]
    private partial void LogInstanceEnded(string instanceId, string workflow, WorkflowPhase phase);

    [LoggerMessage(EngineEventIds.InstanceFailed, LogLevel.Error, "{Workflow} {InstanceId} failed: {ErrorType}: {Reason}")]
    private partial void LogInstanceFailed(string instanceId, string workflow, string errorType, string reason);

    [LoggerMessage(EngineEventIds.UnknownWorkflow, LogLevel.Error, "The journal has {InstanceId} of workflow {Workflow}, which this build does not have: it is marked failed")]
    private partial void LogUnknownWorkflow(string instanceId, string workflow);

    [LoggerMessage(EngineEventIds.ReplayMismatch, LogLevel.Warning, "The journal of {Workflow} {InstanceId} does not match its code; it starts again from its input: {Reason}")]
    private partial void LogReplayMismatch(string instanceId, string workflow, string reason);

    [LoggerMessage(EngineEventIds.WorkflowLog, LogLevel.Information, "{InstanceId}: {Line}")]
    private partial void LogWorkflow(string instanceId, string line);

    [LoggerMessage(EngineEventIds.AttemptFailed, LogLevel.Warning, "{Activity} of {InstanceId} failed, attempt {Attempt} of {Attempts}; again in {Delay}")]
    private partial void LogAttemptFailed(Exception e, string activity, string instanceId, int attempt, int attempts, TimeSpan delay);

    [LoggerMessage(EngineEventIds.ActivityFailed, LogLevel.Error, "{Activity} of {InstanceId} failed for good after {Attempts} attempts")]
    private partial void LogActivityFailed(Exception e, string activity, string instanceId, int attempts);

    [LoggerMessage(EngineEventIds.JournalUnavailable, LogLevel.Error, "The journal cannot be used; everything waits, next try in {Delay}")]
    private partial void LogJournalUnavailable(Exception e, TimeSpan delay);

    [LoggerMessage(EngineEventIds.JournalRecovered, LogLevel.Information, "The journal is written again; everything goes on")]
    private partial void LogJournalRecovered();

    [LoggerMessage(EngineEventIds.EngineEnded, LogLevel.Critical, "The workflow engine cannot go on")]
    private partial void LogEngineEnded(Exception e);
}
