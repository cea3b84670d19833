using FedServerless.Functions.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;

namespace FedServerless.Functions.Triggers;

/// <summary>Privacy budgets, ledgers and reports: for operators. One trigger for each row of the gateway's table; anonymous, because who may call is in the row.</summary>
public sealed class PrivacyTriggers(RouteInvoker routes)
{
    /// <summary>Sets or changes a population's privacy budget.</summary>
    [Function("setBudget")]
    public Task SetBudget(
        [HttpTrigger(AuthorizationLevel.Anonymous, "put", Route = "v1/populations/{population}/budget")] HttpRequest request,
        [DurableClient] DurableTaskClient client) =>
        routes.RunAsync("setBudget", request, client);

    /// <summary>Shows a population's privacy budget.</summary>
    [Function("getBudget")]
    public Task GetBudget(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/populations/{population}/budget")] HttpRequest request,
        [DurableClient] DurableTaskClient client) =>
        routes.RunAsync("getBudget", request, client);

    /// <summary>What everything that trained on a population cost.</summary>
    [Function("getPopulationPrivacy")]
    public Task GetPopulationPrivacy(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/populations/{population}/privacy")] HttpRequest request,
        [DurableClient] DurableTaskClient client) =>
        routes.RunAsync("getPopulationPrivacy", request, client);

    /// <summary>A page of a population's privacy ledger.</summary>
    [Function("getLedger")]
    public Task GetLedger(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/populations/{population}/ledger")] HttpRequest request,
        [DurableClient] DurableTaskClient client) =>
        routes.RunAsync("getLedger", request, client);

    /// <summary>Writes a note into a population's ledger.</summary>
    [Function("noteInLedger")]
    public Task NoteInLedger(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/populations/{population}/ledger/notes")] HttpRequest request,
        [DurableClient] DurableTaskClient client) =>
        routes.RunAsync("noteInLedger", request, client);

    /// <summary>What a private run cost.</summary>
    [Function("getRunPrivacy")]
    public Task GetRunPrivacy(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/runs/{run}/privacy")] HttpRequest request,
        [DurableClient] DurableTaskClient client) =>
        routes.RunAsync("getRunPrivacy", request, client);

    /// <summary>What a private run would cost.</summary>
    [Function("planPrivacy")]
    public Task PlanPrivacy(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/privacy/plan")] HttpRequest request,
        [DurableClient] DurableTaskClient client) =>
        routes.RunAsync("planPrivacy", request, client);
}
