using FedServerless.Cli.Hosting;
using FedServerless.Cli.Server;
using FedServerless.Client;
using FedServerless.Model;
using FedServerless.Wire;

namespace FedServerless.Bench;

/// <summary>A host in a process of its own, and its operator, for the one client that is measured.</summary>
internal sealed class ClientHost : IAsyncDisposable
{
    public const string Model = "bench";

    private const string Run = "bench";

    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(250);

    private readonly LocalHost _host;
    private readonly OperatorClient _server;
    private readonly string _folder;

    private ClientHost(LocalHost host, string folder)
    {
        (_host, _folder) = (host, folder);
        _server = new OperatorClient(host.Address);
    }

    public Uri Address => _host.Address.Url;

    public static async Task<ClientHost> StartAsync()
    {
        var folder = Directory.CreateTempSubdirectory("fed-bench-").FullName;
        var options = new LocalHostOptions(new DataFolder(Path.Combine(folder, "host")), Port: 0) { FlushToDisk = false };
        try
        {
            return new ClientHost(await LocalHost.StartAsync(RoundFederation.ShellOfBench(), options, onLine: null, CancellationToken.None), folder);
        }
        catch
        {
            Directory.Delete(folder, recursive: true);
            throw;
        }
    }

    /// <summary>A one-time code that leads to another address than the host's own.</summary>
    public async Task<string> EnrolmentCodeAsync(string client, Uri address)
    {
        var made = await _server.CreateEnrolmentAsync(new CreateEnrolmentRequest(client), CancellationToken.None);
        return EnrolmentCode.TryParse(made.Code, out var code) && code is not null
            ? new EnrolmentCode(address, code.Client, code.Secret).ToString()
            : throw new InvalidDataException("The host made a code that is none.");
    }

    /// <summary>A client in this process.</summary>
    public async Task<FedClient> EnrolAsync(string name) =>
        await FedClient.EnrolAsync(await EnrolmentCodeAsync(name, Address), new FedClientOptions { StateFolder = Path.Combine(_folder, name) });

    /// <summary>Uploads a model of so many zeros.</summary>
    public async Task PutModelAsync(int parameters)
    {
        var layout = TensorLayout.Create([new TensorSpec("weight", [parameters], TensorRole.Parameter)]);
        var bytes = ModelStateFile.ToBytes(new ModelState(layout, new float[parameters], []));
        var digest = Digest.Of(bytes);
        var upload = await _server.AnnounceModelAsync(Model, new ModelUploadRequest(digest, bytes.Length), CancellationToken.None);
        using var content = new MemoryStream(bytes, writable: false);
        await _server.UploadAsync(upload, content, CancellationToken.None);
        await _server.CreateModelAsync(Model, new CreateModelRequest(digest), CancellationToken.None);
    }

    public async Task StartRunAsync(RunSpec spec)
    {
        await _server.CreateRunAsync(new CreateRunRequest(Run, spec), CancellationToken.None);
        await _server.SteerRunAsync(Run, "start", null, CancellationToken.None);
    }

    /// <summary>Runs it to its end.</summary>
    public async Task RunAsync(RunSpec spec)
    {
        await StartRunAsync(spec);
        RunView view;
        while (!RunStates.IsFinal((view = await _server.GetRunAsync(Run, CancellationToken.None)).State))
        {
            await Task.Delay(LookEvery);
        }

        if (view.State != RunStates.Completed)
        {
            throw new InvalidOperationException($"The run is {view.State}: {view.Reason}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        _server.Dispose();
        await _host.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
