using System.Text.Json;
using FedServerless.Workflows.Engine;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;

namespace FedServerless.Functions.Engine;

/// <summary>The outside of the engine over Durable's client, which a binding makes for each request.</summary>
internal sealed class DurableWorkflowClient(DurableTaskClient client, Registry registry, ILogger logger) : IWorkflowClient
{
    /// <summary>Statuses in which an id must not be started over: all. Backends differ in what they do when not told.</summary>
    private static readonly string[] EveryStatus = [.. Enum.GetNames<OrchestrationRuntimeStatus>().Where(name => name != "ContinuedAsNew")];

    /// <inheritdoc/>
    public Task<bool> StartAsync<TInput, TOutput>(
        Workflow<TInput, TOutput> workflow, string instanceId, TInput input, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(workflow);
        Names.CheckInstanceId(instanceId);
        if (!registry.Workflows.ContainsKey(workflow.Name))
        {
            throw new ArgumentException($"Workflow '{workflow.Name}' is not bound.", nameof(workflow));
        }

        var message = Json.Parse(registry.Json.Write(input, $"input of {workflow.Name}"));
        return StartAsync(workflow.Name, instanceId, message, waiter: null, cancellationToken);
    }

    /// <inheritdoc/>
    public async Task WakeAsync(string instanceId, string eventName, CancellationToken cancellationToken)
    {
        Names.CheckInstanceId(instanceId);
        Names.CheckStep(eventName);
        try
        {
            // Backends disagree about events for nobody: some throw, some keep them. So nobody is looked for first.
            if (await client.GetInstanceAsync(instanceId, getInputsAndOutputs: false, cancellationToken) is { } known && PhaseOf(known) == WorkflowPhase.Running)
            {
                await client.RaiseEventAsync(instanceId, eventName, Json.Null, cancellationToken);
            }
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            // A hint: whoever waits looks again anyway.
            DurableEngineLog.WakeLost(logger, instanceId, exception);
        }
    }

    /// <inheritdoc/>
    public async Task<WorkflowStatus?> GetStatusAsync(string instanceId, CancellationToken cancellationToken)
    {
        Names.CheckInstanceId(instanceId);
        if (await client.GetInstanceAsync(instanceId, getInputsAndOutputs: true, cancellationToken) is not { } known)
        {
            return null;
        }

        var phase = PhaseOf(known);
        return new WorkflowStatus(
            instanceId,
            phase,
            ReadStatus(known.SerializedCustomStatus),
            phase == WorkflowPhase.Completed ? known.SerializedOutput ?? "null" : null,
            phase == WorkflowPhase.Failed ? ErrorOf(known) : null);
    }

    /// <inheritdoc/>
    public async Task<bool> PurgeAsync(string instanceId, CancellationToken cancellationToken)
    {
        Names.CheckInstanceId(instanceId);

        // Some backends purge what still runs; what has ended stays ended.
        return await client.GetInstanceAsync(instanceId, getInputsAndOutputs: false, cancellationToken) is { } known
            && PhaseOf(known) != WorkflowPhase.Running
            && (await client.PurgeInstanceAsync(instanceId, cancellation: cancellationToken)).PurgedInstanceCount > 0;
    }

    /// <summary>Starts a child unless its id exists, and tells how it stands.</summary>
    public async Task<ChildReply> AttachAsync(ChildRequest request, CancellationToken cancellationToken)
    {
        var known = await client.GetInstanceAsync(request.InstanceId, getInputsAndOutputs: true, cancellationToken);
        if (known is null)
        {
            await StartAsync(request.Workflow, request.InstanceId, request.Input, request.Waiter, cancellationToken);
            return new ChildReply(HasEnded: false);
        }

        if (known.Name != request.Workflow)
        {
            return new ChildReply(HasEnded: true, ErrorType: ChildReply.IdTaken, Error: $"Id '{request.InstanceId}' belongs to a '{known.Name}'.");
        }

        switch (PhaseOf(known))
        {
            case WorkflowPhase.Running:
                return new ChildReply(HasEnded: false);
            case WorkflowPhase.Completed:
                return new ChildReply(HasEnded: true, Json.Parse(known.SerializedOutput ?? "null"));
            default:
                var (type, message) = WorkflowFailedException.Split(ErrorOf(known));
                return new ChildReply(HasEnded: true, ErrorType: type, Error: message);
        }
    }

    private async Task<bool> StartAsync(
        string workflow, string instanceId, JsonElement input, string? waiter, CancellationToken cancellationToken)
    {
        if (await client.GetInstanceAsync(instanceId, getInputsAndOutputs: false, cancellationToken) is not null)
        {
            return false;
        }

        var start = new StartMessage(input, Guid.NewGuid().ToString("N"), waiter);
        try
        {
            var once = new StartOrchestrationOptions(instanceId) { DedupeStatuses = EveryStatus };
            await client.ScheduleNewOrchestrationInstanceAsync(workflow, start.Write(), once, cancellationToken);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            // It exists by now, says one backend with this exception and another with that; or nothing is there, and it is an error.
            if (await TokenOfAsync(instanceId, cancellationToken) is not { } token)
            {
                throw;
            }

            return token == start.Token;
        }

        // Of two who start an id at the same moment the Azure Storage backend tells both that they did, and keeps one.
        return await TokenOfAsync(instanceId, cancellationToken) is not { } kept || kept == start.Token;
    }

    /// <summary>The token an instance was started with; null when it is unknown, empty when it is none of the adapter's.</summary>
    private async Task<string?> TokenOfAsync(string instanceId, CancellationToken cancellationToken)
    {
        var known = await client.GetInstanceAsync(instanceId, getInputsAndOutputs: true, cancellationToken);
        return known is null ? null : StartMessage.TokenOf(known.SerializedInput) ?? "";
    }

    private static WorkflowPhase PhaseOf(OrchestrationMetadata known) => known.RuntimeStatus switch
    {
        OrchestrationRuntimeStatus.Completed => WorkflowPhase.Completed,
        OrchestrationRuntimeStatus.Failed or OrchestrationRuntimeStatus.Terminated => WorkflowPhase.Failed,
        _ => WorkflowPhase.Running,
    };

    private static string ErrorOf(OrchestrationMetadata known) => WorkflowFailedException.Describe(
        known.FailureDetails?.ErrorType, known.FailureDetails?.ErrorMessage, known.SerializedOutput);

    private static string? ReadStatus(string? serialized)
    {
        if (string.IsNullOrEmpty(serialized))
        {
            return null;
        }

        var status = Json.Parse(serialized);
        return status.ValueKind == JsonValueKind.String ? status.GetString() : null;
    }
}
