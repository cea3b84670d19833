using FedServerless.Functions.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;

namespace FedServerless.Functions.Triggers;

/// <summary>Models and their versions: for operators. One trigger for each row of the gateway's table; anonymous, because who may call is in the row.</summary>
public sealed class ModelTriggers(RouteInvoker routes)
{
    /// <summary>Lists the models, each with the version it serves.</summary>
    [Function("listModels")]
    public Task ListModels(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/models")] HttpRequest request,
        [DurableClient] DurableTaskClient client) =>
        routes.RunAsync("listModels", request, client);

    /// <summary>Shows the version that a model serves, with a URL of its file.</summary>
    [Function("getModel")]
    public Task GetModel(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/models/{model}")] HttpRequest request,
        [DurableClient] DurableTaskClient client) =>
        routes.RunAsync("getModel", request, client);

    /// <summary>Lists a model's versions.</summary>
    [Function("listVersions")]
    public Task ListVersions(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/models/{model}/versions")] HttpRequest request,
        [DurableClient] DurableTaskClient client) =>
        routes.RunAsync("listVersions", request, client);

    /// <summary>Shows a version, with a URL of its file.</summary>
    [Function("getVersion")]
    public Task GetVersion(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/models/{model}/versions/{version}")] HttpRequest request,
        [DurableClient] DurableTaskClient client) =>
        routes.RunAsync("getVersion", request, client);

    /// <summary>Gives a URL to upload a first version to.</summary>
    [Function("announceModel")]
    public Task AnnounceModel(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/models/{model}/uploads")] HttpRequest request,
        [DurableClient] DurableTaskClient client) =>
        routes.RunAsync("announceModel", request, client);

    /// <summary>Makes an uploaded file a model's first version.</summary>
    [Function("createModel")]
    public Task CreateModel(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/models/{model}")] HttpRequest request,
        [DurableClient] DurableTaskClient client) =>
        routes.RunAsync("createModel", request, client);

    /// <summary>Moves a model's pointer to another of its versions.</summary>
    [Function("rollBackModel")]
    public Task RollBackModel(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/models/{model}/rollback")] HttpRequest request,
        [DurableClient] DurableTaskClient client) =>
        routes.RunAsync("rollBackModel", request, client);
}
