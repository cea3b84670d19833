using System.Collections.Concurrent;
using FedServerless.Client;
using FedServerless.Wire;

namespace FedServerless.Testing.Federation.Hosted;

/// <summary>A device in the test's own process that runs the real SDK over HTTP, and remembers what it was told.</summary>
public sealed class HostedClient : IAsyncDisposable
{
    private readonly ConcurrentQueue<FedClientEvent> _events;
    private readonly IFedTrainer _trainer;
    private readonly CancellationTokenSource _stop = new();
    private Task _loop = Task.CompletedTask;

    internal HostedClient(FedClient client, IFedTrainer trainer, ConcurrentQueue<FedClientEvent> events)
    {
        Client = client;
        _trainer = trainer;
        _events = events;
    }

    /// <summary>The SDK's client.</summary>
    public FedClient Client { get; }

    /// <summary>Its id.</summary>
    public string Id => Client.ClientId;

    /// <summary>All that happened to it, in order.</summary>
    public IReadOnlyList<FedClientEvent> Events => [.. _events];

    /// <summary>Rounds whose receipt the server acknowledged in time: each must be in its seal.</summary>
    public IEnumerable<(string Run, int Round)> Acknowledged => _events.OfType<Committed>()
        .Where(committed => committed.State == ReceiptStates.Committed)
        .Select(committed => (committed.Run, committed.Round));

    /// <summary>Takes part from now on.</summary>
    public HostedClient Start()
    {
        _loop = Task.Run(() => Client.RunAsync(_trainer, _stop.Token));
        return this;
    }

    /// <summary>Ends taking part; throws what ended it before.</summary>
    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await _loop;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _loop.ContinueWith(static _ => { }, TaskScheduler.Default);
        Client.Dispose();
        _stop.Dispose();
    }
}
