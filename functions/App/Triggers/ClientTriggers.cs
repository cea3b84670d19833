using FedServerless.Functions.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;

namespace FedServerless.Functions.Triggers;

/// <summary>Clients and enrolment codes: for operators. One trigger for each row of the gateway's table; anonymous, because who may call is in the row.</summary>
public sealed class ClientTriggers(RouteInvoker routes)
{
    /// <summary>Lists the clients.</summary>
    [Function("listClients")]
    public Task ListClients(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/clients")] HttpRequest request,
        [DurableClient] DurableTaskClient client) =>
        routes.RunAsync("listClients", request, client);

    /// <summary>Shows a client.</summary>
    [Function("getClient")]
    public Task GetClient(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/clients/{client}")] HttpRequest request,
        [DurableClient] DurableTaskClient client) =>
        routes.RunAsync("getClient", request, client);

    /// <summary>Shuts a client out until it enrols with a new code.</summary>
    [Function("revokeClient")]
    public Task RevokeClient(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/clients/{client}/revoke")] HttpRequest request,
        [DurableClient] DurableTaskClient client) =>
        routes.RunAsync("revokeClient", request, client);

    /// <summary>Gives a client no work until it is released.</summary>
    [Function("quarantineClient")]
    public Task QuarantineClient(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/clients/{client}/quarantine")] HttpRequest request,
        [DurableClient] DurableTaskClient client) =>
        routes.RunAsync("quarantineClient", request, client);

    /// <summary>Ends a quarantine.</summary>
    [Function("releaseClient")]
    public Task ReleaseClient(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/clients/{client}/release")] HttpRequest request,
        [DurableClient] DurableTaskClient client) =>
        routes.RunAsync("releaseClient", request, client);

    /// <summary>Makes a one-time code.</summary>
    [Function("createEnrolment")]
    public Task CreateEnrolment(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/enrolments")] HttpRequest request,
        [DurableClient] DurableTaskClient client) =>
        routes.RunAsync("createEnrolment", request, client);

    /// <summary>A page of a day's audit records.</summary>
    [Function("getAudit")]
    public Task GetAudit(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/audit")] HttpRequest request,
        [DurableClient] DurableTaskClient client) =>
        routes.RunAsync("getAudit", request, client);
}
