using FedServerless.Functions.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;

namespace FedServerless.Functions.Triggers;

/// <summary>What devices call. One trigger for each row of the gateway's table; anonymous, because who may call is in the row.</summary>
public sealed class DeviceTriggers(RouteInvoker routes)
{
    /// <summary>Turns a one-time code and the device's own key into an identity.</summary>
    [Function("enrol")]
    public Task Enrol(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/enrol")] HttpRequest request,
        [DurableClient] DurableTaskClient client) =>
        routes.RunAsync("enrol", request, client);

    /// <summary>Asks for work; 'Prefer: wait=N' holds the request until there is some, where the host can.</summary>
    [Function("checkIn")]
    public Task CheckIn(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/check-in")] HttpRequest request,
        [DurableClient] DurableTaskClient client) =>
        routes.RunAsync("checkIn", request, client);

    /// <summary>Gives URLs for the parts of an update that are not there yet.</summary>
    [Function("askUploads")]
    public Task AskUploads(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/runs/{run}/rounds/{round}/uploads")] HttpRequest request,
        [DurableClient] DurableTaskClient client) =>
        routes.RunAsync("askUploads", request, client);

    /// <summary>Commits an uploaded update. 201: certainly in the seal; 202: late, only the seal tells; 200: the same again.</summary>
    [Function("commitReceipt")]
    public Task CommitReceipt(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/runs/{run}/rounds/{round}/receipts")] HttpRequest request,
        [DurableClient] DurableTaskClient client) =>
        routes.RunAsync("commitReceipt", request, client);

    /// <summary>What became of the caller's receipt.</summary>
    [Function("getMyReceipt")]
    public Task GetMyReceipt(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/runs/{run}/rounds/{round}/receipts/mine")] HttpRequest request,
        [DurableClient] DurableTaskClient client) =>
        routes.RunAsync("getMyReceipt", request, client);

    /// <summary>Posts an evaluation; the same answers as a receipt.</summary>
    [Function("postEvaluation")]
    public Task PostEvaluation(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/runs/{run}/rounds/{round}/evaluations")] HttpRequest request,
        [DurableClient] DurableTaskClient client) =>
        routes.RunAsync("postEvaluation", request, client);
}
