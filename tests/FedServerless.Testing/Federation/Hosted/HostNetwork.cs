using System.Net;
using System.Net.Sockets;

namespace FedServerless.Testing.Federation.Hosted;

/// <summary>
/// The way from devices and operators to a host that may die and come back on another port: one stable name, real TCP behind it.
/// Cutting it is what a device sees of a machine that lost its power.
/// </summary>
public sealed class HostNetwork : IDisposable
{
    private readonly Lock _gate = new();
    private readonly HashSet<Socket> _open = [];
    private int? _port;

    public HostNetwork()
    {
        Handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = false,
            ConnectCallback = ConnectAsync,
        };
    }

    /// <summary>The name under which everybody knows the host.</summary>
    public static Uri Address { get; } = new("http://federation.test/");

    /// <summary>Sends requests for <see cref="Address"/> to wherever the host is now.</summary>
    public SocketsHttpHandler Handler { get; }

    /// <summary>The host listens there from now on.</summary>
    public void LeadTo(int port)
    {
        lock (_gate)
        {
            _port = port;
        }
    }

    /// <summary>Ends every connection at once and refuses new ones.</summary>
    public void Cut()
    {
        Socket[] open;
        lock (_gate)
        {
            _port = null;
            open = [.. _open];
            _open.Clear();
        }

        foreach (var socket in open)
        {
            socket.Dispose();
        }
    }

    public void Dispose()
    {
        Cut();
        Handler.Dispose();
    }

    private static async ValueTask<Stream> OpenAsync(EndPoint endPoint, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(endPoint, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        if (context.DnsEndPoint.Host != Address.Host)
        {
            // A store that signs URLs of its own.
            return await OpenAsync(context.DnsEndPoint, cancellationToken);
        }

        int port;
        lock (_gate)
        {
            port = _port ?? throw new IOException("The host is away.");
        }

        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port), cancellationToken);
            lock (_gate)
            {
                if (_port != port)
                {
                    throw new IOException("The host went away.");
                }

                _open.Add(socket);
            }

            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
