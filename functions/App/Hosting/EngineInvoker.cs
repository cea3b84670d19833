using System.Text.Json;
using FedServerless.Functions.Engine;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace FedServerless.Functions.Hosting;

/// <summary>What the triggers of workflows and activities call.</summary>
public sealed class EngineInvoker
{
    /// <summary>Where an activity's invocation has the id of the instance that called it.</summary>
    private const string InstanceIdKey = "instanceId";

    private readonly DurableEngine _engine;

    internal EngineInvoker(DurableEngine engine) => _engine = engine;

    /// <summary>Runs one generation of the workflow that the trigger is named after.</summary>
    public Task<JsonElement> RunWorkflowAsync(TaskOrchestrationContext context) => _engine.RunWorkflowAsync(context);

    /// <summary>Runs one attempt of the activity that the trigger is named after.</summary>
    public Task<JsonElement> RunActivityAsync(JsonElement input, FunctionContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return _engine.RunActivityAsync(context.FunctionDefinition.Name, input, InstanceOf(context), context.CancellationToken);
    }

    /// <summary>Starts a child unless its id exists, and tells how it stands.</summary>
    public Task<JsonElement> AttachChildAsync(JsonElement input, DurableTaskClient client, FunctionContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return _engine.AttachChildAsync(input, client, InstanceOf(context), context.CancellationToken);
    }

    private static string InstanceOf(FunctionContext context) =>
        context.BindingContext.BindingData.TryGetValue(InstanceIdKey, out var id) && id is string text ? text : "an instance";
}
