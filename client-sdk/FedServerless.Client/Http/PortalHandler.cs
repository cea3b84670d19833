using System.Net;
using FedServerless.Client.Telemetry;

namespace FedServerless.Client.Http;

/// <summary>
/// Lets nothing in that a captive portal has put in the server's place: a page to sign in at, or a redirection to one. Neither API nor
/// store sends HTML or redirects elsewhere.
/// </summary>
internal sealed class PortalHandler(HttpMessageHandler inner, ClientEvents events) : DelegatingHandler(inner)
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var response = await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
        if (Evidence(request, response) is not { } evidence)
        {
            return response;
        }

        response.Dispose();
        var host = request.RequestUri!.Host;
        events.Report(new SignInPageFound(host, evidence));
        throw new HttpRequestException($"something between this device and {host} answered in its place: {evidence}");
    }

    private static string? Evidence(HttpRequestMessage request, HttpResponseMessage response)
    {
        if (response.StatusCode == HttpStatusCode.NetworkAuthenticationRequired)
        {
            return "511, which asks to sign in to the network (RFC 6585)";
        }

        if ((int)response.StatusCode is >= 300 and < 400 && response.Headers.Location is { IsAbsoluteUri: true } target && target.Host != request.RequestUri!.Host)
        {
            return $"a redirection to {target.Host}";
        }

        var type = response.Content.Headers.ContentType?.MediaType;
        return response.IsSuccessStatusCode && type is not null && (Is("text/html") || Is("application/xhtml+xml")) ? $"a page of type {type}" : null;

        bool Is(string page) => type.Equals(page, StringComparison.OrdinalIgnoreCase);
    }
}
