using System.Net;
using FedServerless.Client.Adaptivity;

namespace FedServerless.Client.Http;

/// <summary>Measures what goes by, and keeps transfers to the day's bytes: none begins that would pass them.</summary>
internal sealed class TransferHandler(HttpMessageHandler inner, ServerUrls urls, DeviceMeter meter, Willingness willing, TimeProvider time) : DelegatingHandler(inner)
{
    private readonly string _apiPath = urls.Api("").AbsolutePath;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        if (request.RequestUri!.AbsolutePath.StartsWith(_apiPath, StringComparison.Ordinal))
        {
            var answer = await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
            if (!request.Headers.Contains("Prefer"))
            {
                meter.Answered(time.GetElapsedTime(began));
            }

            return answer;
        }

        var length = request.Content?.Headers.ContentLength ?? 0;
        willing.RequireBytes(length);
        try
        {
            var response = await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
            if (response.IsSuccessStatusCode && length > 0)
            {
                meter.Sent(length, time.GetElapsedTime(began));
            }
            else if (response.StatusCode is HttpStatusCode.OK or HttpStatusCode.PartialContent)
            {
                Watch(response);
            }

            return response;
        }
        catch (Exception problem) when (problem is HttpRequestException or IOException or OperationCanceledException)
        {
            meter.Broke();
            throw;
        }
    }

    private void Watch(HttpResponseMessage response)
    {
        try
        {
            willing.RequireBytes(response.Content.Headers.ContentLength ?? 0);
        }
        catch (DeferredException)
        {
            response.Dispose();
            throw;
        }

        response.Content = new WatchedDownload(response.Content, new Watcher(meter, willing, time));
    }
}
