using FedServerless.Gateway.Http;
using FedServerless.Storage.Presigned;
using FedServerless.Wire;
using FedServerless.Workflows.Engine;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace FedServerless.Local.Hosting;

/// <summary>Binds the gateway's table and the store's pre-signed URLs to Kestrel.</summary>
internal static class Endpoints
{
    /// <summary>Every row of the table.</summary>
    public static void MapTable(this WebApplication app, RouteTable table, RouteRunner runner, IWorkflowClient workflows)
    {
        foreach (var route in table.Routes)
        {
            app.MapMethods($"{DeviceApi.Prefix}/{route.Template}", [route.Method], http => runner.RunAsync(route, http, workflows));
        }
    }

    /// <summary>Objects by pre-signed URL: no other credential, no bound but the URL's own length.</summary>
    public static void MapBlobs(this WebApplication app, PresignedTransfers transfers) =>
        app.Map(PresignedUrlSigner.BasePath + "{**name}", http => TransferAsync(http, transfers));

    /// <summary>Answers that have no body yet (no such route, another method, a request Kestrel refused) become problem details.</summary>
    public static void UseProblemBodies(this WebApplication app) => app.Use(async (http, next) =>
    {
        await next(http);
        var response = http.Response;
        if (response.StatusCode >= 400 && !response.HasStarted && response.ContentType is null)
        {
            await Reply.Problem(Problems.Transport(response.StatusCode)).ExecuteAsync(http);
        }
    });

    private static async Task TransferAsync(HttpContext http, PresignedTransfers transfers)
    {
        var request = http.Request;
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
        {
            // The URL's signature fixes the exact length, and anything else is refused before it is stored.
            limit.MaxRequestBodySize = null;
        }

        await using var reply = await transfers.HandleAsync(
            new TransferRequest
            {
                Method = request.Method,
                Path = request.Path.Value ?? "",
                Query = request.QueryString.Value ?? "",
                Range = request.Headers.Range,
                ContentLength = request.ContentLength,
                ContentMd5 = request.Headers.ContentMD5,
                Body = request.Body,
            },
            http.RequestAborted);
        foreach (var (name, value) in reply.Headers)
        {
            http.Response.Headers[name] = value;
        }

        if (reply.Detail is not null)
        {
            await Reply.Problem(new ProblemDetails("/problems/transfer", "Not transferred", reply.Status, reply.Detail)).ExecuteAsync(http);
            return;
        }

        http.Response.StatusCode = reply.Status;
        await reply.CopyBodyToAsync(http.Response.Body, http.RequestAborted);
    }
}
