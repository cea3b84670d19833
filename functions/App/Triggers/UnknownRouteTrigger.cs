using FedServerless.Functions.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace FedServerless.Functions.Triggers;

/// <summary>Everything that no other trigger takes: answered with problem details like every refusal, not by the host's empty page.</summary>
public sealed class UnknownRouteTrigger(RouteInvoker routes)
{
    /// <summary>404, or 405 when the path exists with other methods.</summary>
    [Function("unknownRoute")]
    public Task UnknownRoute(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", "post", "put", "patch", "delete", "options", Route = "v1/{*path}")] HttpRequest request) =>
        routes.RefuseAsync(request);
}
