using System.Net;
using FedServerless.Client.Telemetry;

namespace FedServerless.Client.Http;

/// <summary>The HTTP client of a device.</summary>
internal static class DeviceHttp
{
    /// <summary>SDK name and version, for the server's operators.</summary>
    public static string Sdk { get; } = $"dotnet/{typeof(DeviceHttp).Assembly.GetName().Version?.ToString(3)}";

    /// <summary>
    /// No redirects, no cookies, no decompression: a device sends and receives exactly what the protocol says. Through the proxy of the
    /// options, else the system's.
    /// </summary>
    /// <param name="options">How the client is set up.</param>
    /// <param name="events">Told of captive portals.</param>
    /// <param name="around">What else stands between the client and the network; null for nothing.</param>
    public static HttpClient Create(FedClientOptions options, ClientEvents events, Func<HttpMessageHandler, HttpMessageHandler>? around = null)
    {
        var own = options.HttpHandler is null;
        HttpMessageHandler handler = new PortalHandler(options.HttpHandler ?? Sockets(options), events);
        return new HttpClient(around?.Invoke(handler) ?? handler, disposeHandler: own)
        {
            // Silence has a limit on every request; the whole of one has none.
            Timeout = Timeout.InfiniteTimeSpan,
        };
    }

    private static SocketsHttpHandler Sockets(FedClientOptions options) => new()
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        AutomaticDecompression = DecompressionMethods.None,
        ConnectTimeout = TimeSpan.FromSeconds(15),
        Proxy = options.Proxy,

        // Long-lived devices follow a server that moves in DNS.
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
    };
}
