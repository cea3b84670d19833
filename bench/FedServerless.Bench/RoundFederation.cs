using FedServerless.Cli;
using FedServerless.Cli.Hosting;
using FedServerless.Cli.Server;
using FedServerless.Client;
using FedServerless.Model;
using FedServerless.Wire;

namespace FedServerless.Bench;

/// <summary>A host in a process of its own, and clients in this one that know it by HTTP only and train nothing.</summary>
internal sealed class RoundFederation : IAsyncDisposable
{
    private const string Model = "bench";
    private const string Run = "bench";
    private const float Step = 1e-3f;

    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(250);

    private readonly RoundOptions _options;
    private readonly LocalHost _host;
    private readonly OperatorClient _server;
    private readonly List<FedClient> _clients = [];
    private readonly string _folder;
    private int _retries;

    private RoundFederation(RoundOptions options, LocalHost host, string folder)
    {
        _options = options;
        _host = host;
        _server = new OperatorClient(host.Address);
        _folder = folder;
    }

    /// <summary>Requests that a client had to send again.</summary>
    public int Retries => Volatile.Read(ref _retries);

    public HostUsage Usage => HostUsage.Of(_host.ProcessId);

    /// <summary>A host that has done nothing yet.</summary>
    public static async Task<RoundFederation> StartAsync(RoundOptions options)
    {
        var shell = ShellOfBench();
        var folder = Directory.CreateTempSubdirectory("fed-bench-").FullName;
        var host = new LocalHostOptions(new DataFolder(Path.Combine(folder, "host")), Port: 0)
        {
            Azurite = options.Azurite ? LocalHostOptions.AzuriteIn(shell.GetRepository()) : null,
            FlushToDisk = options.FlushToDisk,
        };
        try
        {
            return new RoundFederation(options, await LocalHost.StartAsync(shell, host, onLine: null, CancellationToken.None), folder);
        }
        catch
        {
            Directory.Delete(folder, recursive: true);
            throw;
        }
    }

    /// <summary>Uploads the model, enrols the clients, creates the run.</summary>
    public async Task PrepareAsync()
    {
        var layout = TensorLayout.Create([new TensorSpec("weight", [_options.Parameters], TensorRole.Parameter)]);
        var bytes = ModelStateFile.ToBytes(new ModelState(layout, new float[_options.Parameters], []));
        var digest = Digest.Of(bytes);
        var upload = await _server.AnnounceModelAsync(Model, new ModelUploadRequest(digest, bytes.Length), CancellationToken.None);
        using (var content = new MemoryStream(bytes, writable: false))
        {
            await _server.UploadAsync(upload, content, CancellationToken.None);
        }

        await _server.CreateModelAsync(Model, new CreateModelRequest(digest), CancellationToken.None);
        await _server.CreateRunAsync(new CreateRunRequest(Run, Spec), CancellationToken.None);
        for (var i = 1; i <= _options.Clients; i++)
        {
            _clients.Add(await EnrolAsync($"edge-{i:0000}"));
        }
    }

    /// <summary>Runs all rounds; the whole log.</summary>
    public async Task<IReadOnlyList<LogEntry>> RunAsync()
    {
        using var stop = new CancellationTokenSource();
        var trainer = FedTrainer.Create(Fit);
        var running = _clients.ConvertAll(client => Task.Run(() => client.RunAsync(trainer, stop.Token), CancellationToken.None));
        await _server.SteerRunAsync(Run, "start", null, CancellationToken.None);
        try
        {
            return await FollowAsync(Task.WhenAny([_host.Ended, .. running]));
        }
        finally
        {
            await stop.CancelAsync();
            await Task.WhenAll(running);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _clients.ForEach(client => client.Dispose());
        _server.Dispose();
        await _host.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private RunSpec Spec => new()
    {
        Model = Model,
        Rounds = _options.Rounds,
        Round = new RoundSpec { Minimum = _options.Clients, Quorum = _options.Clients, DeadlineSeconds = 3600 },
        Update = new UpdateSpec { Codec = _options.Codec },
    };

    // The same for every client and round: what is measured is not training.
    private static FitResult Fit(FitContext context)
    {
        foreach (ref var value in context.Model.Parameters)
        {
            value += Step;
        }

        return new FitResult(100);
    }

    private async Task<FedClient> EnrolAsync(string name)
    {
        var code = await _server.CreateEnrolmentAsync(new CreateEnrolmentRequest(name), CancellationToken.None);
        return await FedClient.EnrolAsync(code.Code, new FedClientOptions
        {
            StateFolder = Path.Combine(_folder, "clients", name),
            OnEvent = happened =>
            {
                switch (happened)
                {
                    case Retrying:
                        Interlocked.Increment(ref _retries);
                        break;
                    case GaveUp gaveUp:
                        Console.Error.WriteLine($"{name} gave up round {gaveUp.Round}: {gaveUp.Reason}");
                        break;
                }
            },
        });
    }

    private async Task<IReadOnlyList<LogEntry>> FollowAsync(Task tooEarly)
    {
        var log = new List<LogEntry>();
        while (log.All(entry => entry.Kind != "runEnded"))
        {
            if (tooEarly.IsCompleted)
            {
                throw _host.Failed("The host or a client ended before the run.");
            }

            var page = await _server.GetLogAsync(Run, log.Count == 0 ? 0 : log[^1].Number, CancellationToken.None);
            log.AddRange(page.Entries);
            if (page.Entries.Count == 0)
            {
                await Task.Delay(LookEvery);
            }
        }

        return log;
    }

    // Where no tool was built, the host is where building this project leaves it.
    internal static Shell ShellOfBench()
    {
        var shell = Shell.OfThisProcess();
        var built = Path.Combine(shell.GetRepository(), "artifacts", "bin", "FedServerless.Local", "release", "FedServerless.Local.dll");
        return new Shell
        {
            Output = shell.Output,
            Error = shell.Error,
            Console = shell.Console,
            CurrentFolder = shell.CurrentFolder,
            HomeFolder = shell.HomeFolder,
            Variable = name => shell.Variable(name) is { Length: > 0 } value ? value : name == Variables.Host ? built : null,
        };
    }
}
