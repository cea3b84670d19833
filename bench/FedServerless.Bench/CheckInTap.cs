using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace FedServerless.Bench;

/// <summary>Passes connections on to a host, and notes when a check-in goes by: what a device has done by then is its start.</summary>
internal sealed class CheckInTap : IAsyncDisposable
{
    private static readonly byte[] CheckIn = Encoding.ASCII.GetBytes("/check-in ");

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentQueue<TaskCompletionSource<long>> _waiting = new();
    private readonly Uri _host;
    private Task _accepting = Task.CompletedTask;

    private CheckInTap(Uri host) => _host = host;

    /// <summary>Where it listens.</summary>
    public Uri Address => new($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/");

    public static CheckInTap Open(Uri host)
    {
        var tap = new CheckInTap(host);
        tap._listener.Start();
        tap._accepting = tap.AcceptAsync();
        return tap;
    }

    /// <summary>The timestamp of the next check-in.</summary>
    public Task<long> NextCheckInAsync()
    {
        var next = new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously);
        _waiting.Enqueue(next);
        return next.Task;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting.ContinueWith(static _ => { }, TaskScheduler.Default);
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            var device = await _listener.AcceptTcpClientAsync(_stop.Token);
            _ = Task.Run(() => PassAsync(device), CancellationToken.None);
        }
    }

    private async Task PassAsync(TcpClient device)
    {
        using var host = new TcpClient { NoDelay = true };
        using (device)
        {
            device.NoDelay = true;
            try
            {
                await host.ConnectAsync(_host.Host, _host.Port, _stop.Token);
                await Task.WhenAny(
                    CopyAsync(device.GetStream(), host.GetStream(), isWatched: true), CopyAsync(host.GetStream(), device.GetStream(), isWatched: false));
            }
            catch (Exception problem) when (problem is IOException or SocketException or OperationCanceledException)
            {
                // A device that stops leaves its connections like this.
            }
        }
    }

    // A request's first line comes in one piece: both ends are on this machine, and it is shorter than a packet.
    private async Task CopyAsync(NetworkStream from, NetworkStream to, bool isWatched)
    {
        var buffer = new byte[64 * 1024];
        int read;
        while ((read = await from.ReadAsync(buffer, _stop.Token)) > 0)
        {
            if (isWatched && buffer.AsSpan(0, read).IndexOf(CheckIn) >= 0 && _waiting.TryDequeue(out var waiting))
            {
                waiting.SetResult(Stopwatch.GetTimestamp());
            }

            await to.WriteAsync(buffer.AsMemory(0, read), _stop.Token);
        }
    }
}
