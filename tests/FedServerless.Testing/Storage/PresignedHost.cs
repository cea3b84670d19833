using FedServerless.Storage;
using FedServerless.Storage.Presigned;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace FedServerless.Testing.Storage;

/// <summary>The smallest host that serves the pre-signed URLs of a store: Kestrel on a free loopback port.</summary>
public sealed class PresignedHost : IAsyncDisposable
{
    private readonly WebApplication _app;

    private PresignedHost(WebApplication app) => _app = app;

    /// <summary>Where the relative URLs belong.</summary>
    public Uri Origin => new(_app.Urls.Single());

    public static async Task<PresignedHost> StartAsync(IObjectStore store, PresignedUrlSigner signer)
    {
        var transfers = new PresignedTransfers(store, signer);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        app.Run(context => ServeAsync(context, transfers));
        await app.StartAsync();
        return new PresignedHost(app);
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private static async Task ServeAsync(HttpContext context, PresignedTransfers transfers)
    {
        var (request, response) = (context.Request, context.Response);
        context.Features.Get<IHttpMaxRequestBodySizeFeature>()!.MaxRequestBodySize = null; // the signed length is the limit
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
            context.RequestAborted);
        response.StatusCode = reply.Status;
        foreach (var (name, value) in reply.Headers)
        {
            response.Headers[name] = value;
        }

        await reply.CopyBodyToAsync(response.Body, context.RequestAborted);
    }
}
