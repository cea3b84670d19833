using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Azure.Core.Pipeline;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace FedServerless.Platform.Tests.StandIns;

/// <summary>
/// A small web server that answers for any host name over HTTPS, with a certificate that it made itself, and for itself over HTTP. Its
/// transport leads every connection to it and trusts that certificate, so the real clients run with the real names and real checks.
/// </summary>
internal sealed class StandInServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private readonly SocketsHttpHandler _handler;

    private volatile bool _isDown;

    private StandInServer(WebApplication app, X509Certificate2 certificate)
    {
        _app = app;
        Http = new Uri(_app.Urls.Single(url => url.StartsWith("http:", StringComparison.Ordinal)));
        var port = new Uri(_app.Urls.Single(url => url.StartsWith("https:", StringComparison.Ordinal))).Port;
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.Add(certificate);
        _handler = new SocketsHttpHandler
        {
            UseProxy = false,
            AllowAutoRedirect = false,
            SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = policy },
            ConnectCallback = async (context, cancellationToken) =>
            {
                var target = context.DnsEndPoint.Port == 443 ? port : context.DnsEndPoint.Port;
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                await socket.ConnectAsync(IPAddress.Loopback, target, cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            },
        };
    }

    /// <summary>Its own address, without encryption.</summary>
    public Uri Http { get; }

    /// <summary>For clients that take a client.</summary>
    public HttpClient Client => new(new Cable(this), disposeHandler: false);

    /// <summary>For clients of Azure.</summary>
    public HttpPipelineTransport Transport => new HttpClientTransport(Client);

    /// <summary>While true, nobody can connect.</summary>
    public bool IsDown
    {
        get => _isDown;
        set => _isDown = value;
    }

    public static async Task<StandInServer> StartAsync(string[] names, RequestDelegate answer)
    {
        var certificate = Certify(names);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, 0);
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(certificate));
        });
        var app = builder.Build();
        app.Run(answer);
        await app.StartAsync();
        return new StandInServer(app, certificate);
    }

    public async ValueTask DisposeAsync()
    {
        _handler.Dispose();
        await _app.DisposeAsync();
    }

    // Down is down at once, for connections that are open as well.
    private sealed class Cable(StandInServer server) : DelegatingHandler(server._handler)
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => server._isDown
            ? throw new HttpRequestException(HttpRequestError.ConnectionError, "Connection refused", new SocketException((int)SocketError.ConnectionRefused))
            : base.SendAsync(request, cancellationToken);
    }

    private static X509Certificate2 Certify(string[] names)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=stand-in", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        var subjects = new SubjectAlternativeNameBuilder();
        foreach (var name in names)
        {
            subjects.AddDnsName(name);
        }

        request.CertificateExtensions.Add(subjects.Build());
        var now = DateTimeOffset.UtcNow;
        using var certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), null);
    }
}
