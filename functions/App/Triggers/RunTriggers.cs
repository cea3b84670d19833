using FedServerless.Functions.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;

namespace FedServerless.Functions.Triggers;

/// <summary>Runs, rounds and the log: for operators. One trigger for each row of the gateway's table; anonymous, because who may call is in the row.</summary>
public sealed class RunTriggers(RouteInvoker routes)
{
    /// <summary>Creates a run as a draft, or with dryRun only validates it.</summary>
    [Function("createRun")]
    public Task CreateRun(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/runs")] HttpRequest request,
        [DurableClient] DurableTaskClient client) =>
        routes.RunAsync("createRun", request, client);

    /// <summary>Lists the runs.</summary>
    [Function("listRuns")]
    public Task ListRuns(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/runs")] HttpRequest request,
        [DurableClient] DurableTaskClient client) =>
        routes.RunAsync("listRuns", request, client);

    /// <summary>Shows a run.</summary>
    [Function("getRun")]
    public Task GetRun(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/runs/{run}")] HttpRequest request,
        [DurableClient] DurableTaskClient client) =>
        routes.RunAsync("getRun", request, client);

    /// <summary>Starts a draft; repeating it changes nothing.</summary>
    [Function("startRun")]
    public Task StartRun(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/runs/{run}/start")] HttpRequest request,
        [DurableClient] DurableTaskClient client) =>
        routes.RunAsync("startRun", request, client);

    /// <summary>Pauses a run at its next round boundary.</summary>
    [Function("pauseRun")]
    public Task PauseRun(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/runs/{run}/pause")] HttpRequest request,
        [DurableClient] DurableTaskClient client) =>
        routes.RunAsync("pauseRun", request, client);

    /// <summary>Takes a pause back.</summary>
    [Function("resumeRun")]
    public Task ResumeRun(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/runs/{run}/resume")] HttpRequest request,
        [DurableClient] DurableTaskClient client) =>
        routes.RunAsync("resumeRun", request, client);

    /// <summary>Stops a run; an open round is abandoned unless it is sealed already.</summary>
    [Function("stopRun")]
    public Task StopRun(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/runs/{run}/stop")] HttpRequest request,
        [DurableClient] DurableTaskClient client) =>
        routes.RunAsync("stopRun", request, client);

    /// <summary>Starts a run's workflow anew from what is stored.</summary>
    [Function("recoverRun")]
    public Task RecoverRun(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/runs/{run}/recover")] HttpRequest request,
        [DurableClient] DurableTaskClient client) =>
        routes.RunAsync("recoverRun", request, client);

    /// <summary>Deletes a draft or an ended run; versions it published stay.</summary>
    [Function("deleteRun")]
    public Task DeleteRun(
        [HttpTrigger(AuthorizationLevel.Anonymous, "delete", Route = "v1/runs/{run}")] HttpRequest request,
        [DurableClient] DurableTaskClient client) =>
        routes.RunAsync("deleteRun", request, client);

    /// <summary>Lists a run's rounds, at most 1000.</summary>
    [Function("listRounds")]
    public Task ListRounds(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/runs/{run}/rounds")] HttpRequest request,
        [DurableClient] DurableTaskClient client) =>
        routes.RunAsync("listRounds", request, client);

    /// <summary>Shows a round.</summary>
    [Function("getRound")]
    public Task GetRound(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/runs/{run}/rounds/{round}")] HttpRequest request,
        [DurableClient] DurableTaskClient client) =>
        routes.RunAsync("getRound", request, client);

    /// <summary>What each client of a sealed round claims, at most 200.</summary>
    [Function("listRoundClients")]
    public Task ListRoundClients(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/runs/{run}/rounds/{round}/clients")] HttpRequest request,
        [DurableClient] DurableTaskClient client) =>
        routes.RunAsync("listRoundClients", request, client);

    /// <summary>A page of a run's log, with an ETag; as text/event-stream where the host can hold a connection.</summary>
    [Function("getRunLog")]
    public Task GetRunLog(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/runs/{run}/log")] HttpRequest request,
        [DurableClient] DurableTaskClient client) =>
        routes.RunAsync("getRunLog", request, client);
}
