using System.Text.Json;
using FedServerless.Functions.Hosting;
using FedServerless.Workflows.Rounds;
using FedServerless.Workflows.Runs;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;

namespace FedServerless.Functions.Triggers;

/// <summary>One trigger for each activity. Names are those of the definitions, for ever: histories hold them.</summary>
public sealed class ActivityTriggers(EngineInvoker engine)
{
    /// <summary><see cref="RunActivities.DecideStep"/>.</summary>
    [Function("DecideStep")]
    public Task<JsonElement> DecideStep([ActivityTrigger] JsonElement input, FunctionContext context) => engine.RunActivityAsync(input, context);

    /// <summary><see cref="RoundActivities.PlanRound"/>.</summary>
    [Function("PlanRound")]
    public Task<JsonElement> PlanRound([ActivityTrigger] JsonElement input, FunctionContext context) => engine.RunActivityAsync(input, context);

    /// <summary><see cref="RoundActivities.OpenRound"/>.</summary>
    [Function("OpenRound")]
    public Task<JsonElement> OpenRound([ActivityTrigger] JsonElement input, FunctionContext context) => engine.RunActivityAsync(input, context);

    /// <summary><see cref="RoundActivities.CountReceipts"/>.</summary>
    [Function("CountReceipts")]
    public Task<JsonElement> CountReceipts([ActivityTrigger] JsonElement input, FunctionContext context) => engine.RunActivityAsync(input, context);

    /// <summary><see cref="RoundActivities.SealRound"/>.</summary>
    [Function("SealRound")]
    public Task<JsonElement> SealRound([ActivityTrigger] JsonElement input, FunctionContext context) => engine.RunActivityAsync(input, context);

    /// <summary><see cref="RoundActivities.ValidateUpdates"/>.</summary>
    [Function("ValidateUpdates")]
    public Task<JsonElement> ValidateUpdates([ActivityTrigger] JsonElement input, FunctionContext context) => engine.RunActivityAsync(input, context);

    /// <summary><see cref="RoundActivities.AcceptUpdates"/>.</summary>
    [Function("AcceptUpdates")]
    public Task<JsonElement> AcceptUpdates([ActivityTrigger] JsonElement input, FunctionContext context) => engine.RunActivityAsync(input, context);

    /// <summary><see cref="RoundActivities.ChargePrivacy"/>.</summary>
    [Function("ChargePrivacy")]
    public Task<JsonElement> ChargePrivacy([ActivityTrigger] JsonElement input, FunctionContext context) => engine.RunActivityAsync(input, context);

    /// <summary><see cref="RoundActivities.MeasureShard"/>.</summary>
    [Function("MeasureShard")]
    public Task<JsonElement> MeasureShard([ActivityTrigger] JsonElement input, FunctionContext context) => engine.RunActivityAsync(input, context);

    /// <summary><see cref="RoundActivities.DecideAggregation"/>.</summary>
    [Function("DecideAggregation")]
    public Task<JsonElement> DecideAggregation([ActivityTrigger] JsonElement input, FunctionContext context) => engine.RunActivityAsync(input, context);

    /// <summary><see cref="RoundActivities.FoldChunks"/>.</summary>
    [Function("FoldChunks")]
    public Task<JsonElement> FoldChunks([ActivityTrigger] JsonElement input, FunctionContext context) => engine.RunActivityAsync(input, context);

    /// <summary><see cref="RoundActivities.ReduceShard"/>.</summary>
    [Function("ReduceShard")]
    public Task<JsonElement> ReduceShard([ActivityTrigger] JsonElement input, FunctionContext context) => engine.RunActivityAsync(input, context);

    /// <summary><see cref="RoundActivities.PublishModel"/>.</summary>
    [Function("PublishModel")]
    public Task<JsonElement> PublishModel([ActivityTrigger] JsonElement input, FunctionContext context) => engine.RunActivityAsync(input, context);

    /// <summary><see cref="RoundActivities.CloseRound"/>.</summary>
    [Function("CloseRound")]
    public Task<JsonElement> CloseRound([ActivityTrigger] JsonElement input, FunctionContext context) => engine.RunActivityAsync(input, context);

    /// <summary><see cref="RoundActivities.CleanUpdates"/>.</summary>
    [Function("CleanUpdates")]
    public Task<JsonElement> CleanUpdates([ActivityTrigger] JsonElement input, FunctionContext context) => engine.RunActivityAsync(input, context);

    /// <summary><see cref="RoundActivities.OpenEvaluation"/>.</summary>
    [Function("OpenEvaluation")]
    public Task<JsonElement> OpenEvaluation([ActivityTrigger] JsonElement input, FunctionContext context) => engine.RunActivityAsync(input, context);

    /// <summary><see cref="RoundActivities.CountEvaluations"/>.</summary>
    [Function("CountEvaluations")]
    public Task<JsonElement> CountEvaluations([ActivityTrigger] JsonElement input, FunctionContext context) => engine.RunActivityAsync(input, context);

    /// <summary><see cref="RoundActivities.SealEvaluation"/>.</summary>
    [Function("SealEvaluation")]
    public Task<JsonElement> SealEvaluation([ActivityTrigger] JsonElement input, FunctionContext context) => engine.RunActivityAsync(input, context);

    /// <summary>The engine's own: starts a child unless its id exists, and tells how it stands.</summary>
    [Function("AttachChild")]
    public Task<JsonElement> AttachChild([ActivityTrigger] JsonElement input, [DurableClient] DurableTaskClient client, FunctionContext context) =>
        engine.AttachChildAsync(input, client, context);
}
