using System.Text.Json;
using FedServerless.Functions.Hosting;
using FedServerless.Workflows.Rounds;
using FedServerless.Workflows.Runs;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;

namespace FedServerless.Functions.Triggers;

/// <summary>One trigger for each workflow. Names are those of the definitions, for ever: histories hold them.</summary>
public sealed class WorkflowTriggers(EngineInvoker engine)
{
    /// <summary><see cref="TrainingRunWorkflow"/>.</summary>
    [Function("TrainingRun")]
    public Task<JsonElement> TrainingRun([OrchestrationTrigger] TaskOrchestrationContext context) => engine.RunWorkflowAsync(context);

    /// <summary><see cref="RoundWorkflow"/>.</summary>
    [Function("Round")]
    public Task<JsonElement> Round([OrchestrationTrigger] TaskOrchestrationContext context) => engine.RunWorkflowAsync(context);

    /// <summary><see cref="RoundStageWorkflow"/>.</summary>
    [Function("RoundStage")]
    public Task<JsonElement> RoundStage([OrchestrationTrigger] TaskOrchestrationContext context) => engine.RunWorkflowAsync(context);

    /// <summary><see cref="EvaluationWorkflow"/>.</summary>
    [Function("Evaluation")]
    public Task<JsonElement> Evaluation([OrchestrationTrigger] TaskOrchestrationContext context) => engine.RunWorkflowAsync(context);
}
