using System.Collections.Concurrent;
using FedServerless.Client;
using FedServerless.Local.Engine.Journal;
using FedServerless.Local.Hosting;
using FedServerless.Storage;
using FedServerless.Storage.Presigned;
using FedServerless.Testing.Engine;
using FedServerless.Testing.Storage;
using Microsoft.Extensions.Logging;

namespace FedServerless.Testing.Federation.Hosted;

/// <summary>How a <see cref="HostedFederation"/> is put together. By default its disk and its journal are in memory and outlive every host.</summary>
public sealed record HostedParts
{
    /// <summary>True for the host's own file store and SQLite journal in the data folder. Default false.</summary>
    public bool OnDisk { get; init; }

    /// <summary>True for the host's own program in a process of its own, on disk: its death is a kill. Default false.</summary>
    public bool AsProcess { get; init; }

    /// <summary>Further arguments of that program.</summary>
    public IReadOnlyList<string> Arguments { get; init; } = [];

    /// <summary>Stands between each host and the disk. Default: nothing.</summary>
    public Func<IObjectStore, IObjectStore> Store { get; init; } = static store => store;

    /// <summary>Stands between each host and the journal. Default: nothing.</summary>
    public Func<IJournal, IJournal> Journal { get; init; } = static journal => journal;

    /// <summary>Changes the host's options.</summary>
    public Func<LocalHostOptions, LocalHostOptions> Options { get; init; } = static options => options;

    /// <summary>The host's clock. Default: the system's.</summary>
    public TimeProvider? Time { get; init; }
}

/// <summary>
/// The real local host in this process, real clients over HTTP, and an operator with the key. The host may be stopped, crashed and
/// started again; clients and operator keep going, as they would.
/// </summary>
public sealed class HostedFederation(HostedParts? parts = null) : IAsyncDisposable
{
    private readonly HostedParts _parts = parts ?? new HostedParts();
    private readonly HostLog _log = new();
    private readonly List<HostedClient> _clients = [];
    private LocalHost? _host;
    private HostProcess? _process;
    private OperatorCalls? _operator;
    private string? _operatorKey;

    /// <summary>Everything on disk, clients' state folders included.</summary>
    public ScratchFolder Folder { get; } = new();

    /// <summary>The host's data folder.</summary>
    public string DataFolder => Folder.Combine("host");

    /// <summary>The way to the host.</summary>
    public HostNetwork Network { get; } = new();

    /// <summary>The operator.</summary>
    public OperatorCalls Operator => _operator ??= new OperatorCalls(
        Network.Handler, () => _operatorKey ?? throw new InvalidOperationException("No host was started yet."));

    /// <summary>The operator's key.</summary>
    public string OperatorKey => _operatorKey ?? throw new InvalidOperationException("No host was started yet.");

    /// <summary>The running host.</summary>
    public LocalHost Host => _host ?? throw new InvalidOperationException("The host is not running.");

    /// <summary>The host's process; only with <see cref="HostedParts.AsProcess"/>.</summary>
    public HostProcess Process => _process ?? throw new InvalidOperationException("No host process is running.");

    /// <summary>The disk beneath all hosts; only without <see cref="HostedParts.OnDisk"/> and <see cref="HostedParts.AsProcess"/>.</summary>
    public InMemoryObjectStore Disk { get; private set; } = null!;

    /// <summary>The journal beneath all hosts; only without <see cref="HostedParts.OnDisk"/>. Set another to lose it.</summary>
    public IJournal Journal { get; set; } = new InMemoryJournal();

    /// <summary>The clients, in the order of their enrolment.</summary>
    public IReadOnlyList<HostedClient> Clients => _clients;

    /// <summary>What the hosts logged, line by line.</summary>
    public IReadOnlyList<string> Log => _log.Lines;

    /// <summary>A started federation.</summary>
    public static async Task<HostedFederation> StartedAsync(HostedParts? parts = null)
    {
        var federation = new HostedFederation(parts);
        await federation.StartAsync();
        return federation;
    }

    /// <summary>Starts a host over what the last one left.</summary>
    public async Task StartAsync()
    {
        Directory.CreateDirectory(DataFolder);
        if (_parts.AsProcess)
        {
            _process = await HostProcess.StartAsync(DataFolder, [.. _parts.Arguments]);
            _operatorKey = _process.OperatorKey;
            Network.LeadTo(_process.Url.Port);
            return;
        }

        var options = _parts.Options(new LocalHostOptions { DataFolder = DataFolder, Url = "http://127.0.0.1:0", FlushToDisk = false });
        _host = await LocalHost.StartAsync(options, HostParts(), CancellationToken.None);
        _operatorKey = _host.OperatorKey;
        Network.LeadTo(_host.Url.Port);
    }

    /// <summary>Stops the host. Nothing it would still have answered is heard: the network is cut first. A process is killed.</summary>
    public async Task CrashAsync()
    {
        if (_process is not null)
        {
            await _process.DisposeAsync();
            _process = null;
        }

        Network.Cut();
        if (_host is not null)
        {
            await _host.DisposeAsync();
            _host = null;
        }
    }

    /// <summary>Enrols a client, however often the host dies meanwhile. It takes part once it is started.</summary>
    public async Task<HostedClient> EnrolAsync(string id, IFedTrainer? trainer = null, Func<FedClientOptions, FedClientOptions>? change = null)
    {
        var events = new ConcurrentQueue<FedClientEvent>();
        var options = new FedClientOptions
        {
            StateFolder = Folder.Combine($"device-{id}"),
            HttpHandler = Network.Handler,
            TimeProvider = new ImpatientTime(),
            OnEvent = events.Enqueue,
            MaxAttempts = 100,
            MaxBackoff = TimeSpan.FromSeconds(10),
        };
        options = change?.Invoke(options) ?? options;
        var code = await Operator.EnrolmentCodeAsync(id);
        while (true)
        {
            try
            {
                var client = new HostedClient(await FedClient.EnrolAsync(code, options), trainer ?? new SeededTrainer(), events);
                _clients.Add(client);
                return client;
            }
            catch (FedClientException exception) when (exception.IsTransient)
            {
                await Task.Delay(ImpatientTime.LongestPause);
            }
        }
    }

    /// <summary>Enrols <c>client-000</c>, … with 10, 11, … samples and starts them.</summary>
    public async Task EnrolAndStartAsync(int count)
    {
        for (var i = 0; i < count; i++)
        {
            (await EnrolAsync($"client-{i:D3}", new SeededTrainer(10 + i))).Start();
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var client in _clients)
        {
            await client.DisposeAsync();
        }

        await CrashAsync();
        _operator?.Dispose();
        Network.Dispose();
        _log.Dispose();
        Folder.Dispose();
    }

    private LocalHostParts HostParts() => new()
    {
        Store = _parts.OnDisk ? null : OpenStore,
        Journal = _parts.OnDisk ? null : _parts.Journal(Journal),
        Time = _parts.Time,
        Logging = logging => logging.AddProvider(_log),
    };

    private IObjectStore OpenStore(PresignedUrlSigner signer)
    {
        Disk ??= new InMemoryObjectStore(signer);
        return _parts.Store(Disk);
    }
}
