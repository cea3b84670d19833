using FedServerless.Workflows.Engine;

namespace FedServerless.LocalHost.Tests.Gateway;

/// <summary>An engine's outside that starts nothing and remembers what it was asked.</summary>
internal sealed class RecordingWorkflows : IWorkflowClient
{
    public HashSet<string> Started { get; } = [];

    public List<(string Instance, string Event)> Wakes { get; } = [];

    public List<string> Purged { get; } = [];

    public WorkflowPhase Phase { get; set; } = WorkflowPhase.Running;

    public string? Status { get; set; }

    /// <summary>Instances that stand elsewhere than <see cref="Phase"/>.</summary>
    public Dictionary<string, WorkflowPhase> Phases { get; } = [];

    public Task<bool> StartAsync<TInput, TOutput>(Workflow<TInput, TOutput> workflow, string instanceId, TInput input, CancellationToken cancellationToken) =>
        Task.FromResult(Started.Add(instanceId));

    public Task WakeAsync(string instanceId, string eventName, CancellationToken cancellationToken)
    {
        lock (Wakes)
        {
            Wakes.Add((instanceId, eventName));
        }

        return Task.CompletedTask;
    }

    public Task<WorkflowStatus?> GetStatusAsync(string instanceId, CancellationToken cancellationToken) =>
        Task.FromResult(Started.Contains(instanceId) ? new WorkflowStatus(instanceId, PhaseOf(instanceId), Status, null, PhaseOf(instanceId) == WorkflowPhase.Failed ? "it broke" : null) : null);

    public Task<bool> PurgeAsync(string instanceId, CancellationToken cancellationToken)
    {
        Purged.Add(instanceId);
        return Task.FromResult(PhaseOf(instanceId) != WorkflowPhase.Running && Started.Remove(instanceId));
    }

    private WorkflowPhase PhaseOf(string instance) => Phases.GetValueOrDefault(instance, Phase);
}
