using System.Text.Json;
using FedServerless.Workflows.Engine;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;

namespace FedServerless.Functions.Engine;

/// <summary>
/// Workflows and activities on Durable: what the triggers call. docs/concepts/engine.md is the contract, ADR 0004 says why it is
/// kept this way.
/// </summary>
internal sealed class DurableEngine(Registry registry, DurableEngineOptions options, ILogger<DurableEngine> logger)
{
    /// <summary>What is bound.</summary>
    public Registry Registry => registry;

    /// <summary>The engine's outside, over a client that a binding gave.</summary>
    public IWorkflowClient Client(DurableTaskClient client) => new DurableWorkflowClient(client, registry, logger);

    /// <summary>Runs one generation of the workflow that the orchestrator is named after.</summary>
    public async Task<JsonElement> RunWorkflowAsync(TaskOrchestrationContext durable)
    {
        var name = durable.Name.Name;
        var start = StartMessage.Read(durable.GetInput<JsonElement>());
        using var context = new DurableWorkflowContext(durable, registry.Json, options);
        TurnResult turn;
        try
        {
            turn = await context.RunAsync(registry.Workflows[name], start);
        }
        catch (Exception exception)
        {
            // Whatever a workflow lets out fails its instance, in words that are short.
            var failure = StepFailure.From(exception);
            Report(durable, name, context.Actions + TellWaiter(durable, start), failure);
            throw new WorkflowFailedException(failure);
        }

        if (turn.IsAgain)
        {
            Report(durable, name, context.Actions, null);

            // Wakes that nobody waited for are dropped: the next generation looks at the truth before it waits.
            var next = start with { Input = Json.Parse(turn.Json), Status = context.Status };
            durable.ContinueAsNew(next.Write(), preserveUnprocessedEvents: false);
            return Json.Null;
        }

        Report(durable, name, context.Actions + TellWaiter(durable, start), null);
        return Json.Parse(turn.Json);
    }

    /// <summary>Runs one attempt of an activity. Never throws: how it failed is part of the reply.</summary>
    public Task<JsonElement> RunActivityAsync(string name, JsonElement input, string instanceId, CancellationToken cancellationToken) => AttemptAsync(
        name,
        instanceId,
        async () => Json.Parse(await registry.Activities[name].RunAsync(null, Json.Text(input), cancellationToken)));

    /// <summary>Behind <see cref="DurableSteps.AttachChild"/>: starts a child unless its id exists, and tells how it stands.</summary>
    public Task<JsonElement> AttachChildAsync(JsonElement input, DurableTaskClient client, string instanceId, CancellationToken cancellationToken) => AttemptAsync(
        DurableSteps.AttachChild,
        instanceId,
        async () =>
        {
            var request = input.Deserialize(EnvelopeJson.Default.ChildRequest)!;
            var reply = await new DurableWorkflowClient(client, registry, logger).AttachAsync(request, cancellationToken);
            return JsonSerializer.SerializeToElement(reply, EnvelopeJson.Default.ChildReply);
        });

    private async Task<JsonElement> AttemptAsync(string name, string instanceId, Func<Task<JsonElement>> attempt)
    {
        try
        {
            return new StepReply(await attempt()).Write();
        }
        catch (Exception exception)
        {
            // An exception means "again", and the workflow's side decides how often.
            DurableEngineLog.AttemptFailed(logger, name, instanceId, exception);
            DurableEngineMetrics.AttemptsFailed.Add(1);
            return new StepReply(Failure: StepFault.From(exception)).Write();
        }
    }

    /// <summary>Wakes the parent that started this instance; returns the actions that takes.</summary>
    private static int TellWaiter(TaskOrchestrationContext durable, StartMessage start)
    {
        if (start.Waiter is not { } waiter)
        {
            return 0;
        }

        durable.SendEvent(waiter, DurableSteps.EndOf(durable.InstanceId), Json.Null);
        return 1;
    }

    private static void Report(TaskOrchestrationContext durable, string workflow, int actions, StepFailure? failure)
    {
        if (durable.IsReplaying)
        {
            return;
        }

        DurableEngineMetrics.Actions.Record(actions, new KeyValuePair<string, object?>(DurableEngineMetrics.Workflow, workflow));
        if (failure is not null)
        {
            DurableEngineMetrics.WorkflowsFailed.Add(1);
            DurableEngineLog.WorkflowFailed(durable.CreateReplaySafeLogger(DurableEngineLog.Category), workflow, durable.InstanceId, failure.ToString());
        }
    }
}
