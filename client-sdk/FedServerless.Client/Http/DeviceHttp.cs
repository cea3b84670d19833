using System.Net;

namespace FedServerless.Client.Http;

/// <summary>The HTTP client of a device.</summary>
internal static class DeviceHttp
{
    /// <summary>SDK name and version, for the server's operators.</summary>
    public static string Sdk { get; } = $"dotnet/{typeof(DeviceHttp).Assembly.GetName().Version?.ToString(3)}";

    /// <summary>No redirects, no cookies, no decompression: a device sends and receives exactly what the protocol says.</summary>
    public static HttpClient Create(HttpMessageHandler? handler)
    {
        var http = handler is null
            ? new HttpClient(new SocketsHttpHandler
            {
                AllowAutoRedirect = false,
                UseCookies = false,
                AutomaticDecompression = DecompressionMethods.None,
                ConnectTimeout = TimeSpan.FromSeconds(15),

                // Long-lived devices follow a server that moves in DNS.
                PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            })
            : new HttpClient(handler, disposeHandler: false);

        // Silence has a limit on every request; the whole of one has none.
        http.Timeout = Timeout.InfiniteTimeSpan;
        return http;
    }
}
