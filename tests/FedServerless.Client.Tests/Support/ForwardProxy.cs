using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace FedServerless.Client.Tests.Support;

/// <summary>
/// A small HTTP proxy on loopback, without CONNECT: a request names an absolute URL, and is answered by a handler in its place.
/// </summary>
internal sealed class ForwardProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly HttpMessageInvoker _origin;
    private readonly Task _running;

    public ForwardProxy(HttpMessageHandler origin)
    {
        _origin = new HttpMessageInvoker(origin, disposeHandler: false);
        _listener.Start();
        _running = RunAsync();
    }

    public Uri Address => new($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");

    /// <summary>Request lines, as they came.</summary>
    public List<string> Lines { get; } = [];

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        await _running;
        _origin.Dispose();
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        try
        {
            while (true)
            {
                using var connection = await _listener.AcceptTcpClientAsync(_stop.Token);
                await ServeAsync(connection.GetStream());
            }
        }
        catch (Exception stopped) when (stopped is OperationCanceledException or ObjectDisposedException or SocketException)
        {
            // The test is over.
        }
    }

    /// <summary>One request a connection.</summary>
    private async Task ServeAsync(NetworkStream stream)
    {
        var (lines, rest) = await ReadHeadAsync(stream);
        Lines.Add(lines[0]);
        var line = lines[0].Split(' ');
        var request = new HttpRequestMessage(new HttpMethod(line[0]), line[1]);
        var headers = lines.Skip(1).Select(header => header.Split(": ", 2)).ToArray();
        var length = headers.FirstOrDefault(header => header[0].Equals("Content-Length", StringComparison.OrdinalIgnoreCase)) is { } told
            ? int.Parse(told[1], CultureInfo.InvariantCulture) : 0;
        var body = new byte[length];
        rest.CopyTo(body, 0);
        await stream.ReadExactlyAsync(body.AsMemory(rest.Length), _stop.Token);
        request.Content = new ByteArrayContent(body);
        foreach (var header in headers.Where(header => !request.Headers.TryAddWithoutValidation(header[0], header[1])))
        {
            request.Content.Headers.TryAddWithoutValidation(header[0], header[1]);
        }

        using var response = await _origin.SendAsync(request, _stop.Token);
        var content = await response.Content.ReadAsByteArrayAsync(_stop.Token);
        var head = new StringBuilder($"HTTP/1.1 {(int)response.StatusCode} Some\r\nConnection: close\r\nContent-Length: {content.Length}\r\n");
        foreach (var header in response.Headers.Concat(response.Content.Headers).Where(header => header.Key != "Content-Length"))
        {
            head.Append(CultureInfo.InvariantCulture, $"{header.Key}: {string.Join(", ", header.Value)}\r\n");
        }

        await stream.WriteAsync(Encoding.ASCII.GetBytes($"{head}\r\n"), _stop.Token);
        await stream.WriteAsync(content, _stop.Token);
    }

    private async Task<(string[] Lines, byte[] Body)> ReadHeadAsync(NetworkStream stream)
    {
        var received = new List<byte>();
        var buffer = new byte[4096];
        while (true)
        {
            received.AddRange(buffer.AsSpan(0, await stream.ReadAsync(buffer, _stop.Token)));
            var text = Encoding.ASCII.GetString([.. received]);
            var end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
            if (end >= 0)
            {
                return (text[..end].Split("\r\n"), [.. received.Skip(end + 4)]);
            }
        }
    }
}
