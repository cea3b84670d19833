namespace FedServerless.Workflows.Engine;

/// <summary>The outside of an engine. Handlers get one per request, because on Functions it comes from a binding.</summary>
public interface IWorkflowClient
{
    /// <summary>Starts an instance unless that id was ever started and not purged.</summary>
    /// <returns>True when this call started it.</returns>
    Task<bool> StartAsync<TInput, TOutput>(Workflow<TInput, TOutput> workflow, string instanceId, TInput input, CancellationToken cancellationToken);

    /// <summary>Hints that something changed. May be called any number of times, for instances that are gone, or never.</summary>
    Task WakeAsync(string instanceId, string eventName, CancellationToken cancellationToken);

    /// <summary>What is known of an instance, or null for an id never started or purged.</summary>
    Task<WorkflowStatus?> GetStatusAsync(string instanceId, CancellationToken cancellationToken);

    /// <summary>Forgets an instance that has ended; false when it is unknown or still running.</summary>
    Task<bool> PurgeAsync(string instanceId, CancellationToken cancellationToken);
}

/// <summary>What an engine knows of an instance.</summary>
/// <param name="InstanceId">Its id.</param>
/// <param name="Phase">Where it stands.</param>
/// <param name="Status">The last status it set, or null.</param>
/// <param name="Output">Its output as JSON once completed, else null.</param>
/// <param name="Error">Why it failed, else null.</param>
public sealed record WorkflowStatus(string InstanceId, WorkflowPhase Phase, string? Status, string? Output, string? Error);

/// <summary>Where an instance stands.</summary>
public enum WorkflowPhase
{
    /// <summary>Running or about to.</summary>
    Running = 0,

    /// <summary>Ended with an output.</summary>
    Completed,

    /// <summary>Ended with an error.</summary>
    Failed,
}
