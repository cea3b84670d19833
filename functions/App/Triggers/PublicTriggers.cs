using FedServerless.Functions.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;

namespace FedServerless.Functions.Triggers;

/// <summary>What anyone may call. One trigger for each row of the gateway's table; anonymous, because who may call is in the row.</summary>
public sealed class PublicTriggers(RouteInvoker routes)
{
    /// <summary>Whether the host is well.</summary>
    [Function("getHealth")]
    public Task GetHealth(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/health")] HttpRequest request,
        [DurableClient] DurableTaskClient client) =>
        routes.RunAsync("getHealth", request, client);

    /// <summary>Which version the host is.</summary>
    [Function("getHostVersion")]
    public Task GetHostVersion(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/version")] HttpRequest request,
        [DurableClient] DurableTaskClient client) =>
        routes.RunAsync("getHostVersion", request, client);

    /// <summary>The public keys that signed answers are checked with.</summary>
    [Function("getKeys")]
    public Task GetKeys(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/keys")] HttpRequest request,
        [DurableClient] DurableTaskClient client) =>
        routes.RunAsync("getKeys", request, client);

    /// <summary>This surface as OpenAPI 3.1.</summary>
    [Function("getOpenApi")]
    public Task GetOpenApi(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/openapi.json")] HttpRequest request,
        [DurableClient] DurableTaskClient client) =>
        routes.RunAsync("getOpenApi", request, client);
}
