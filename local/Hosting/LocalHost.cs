using System.Net.Sockets;
using FedServerless.Activities;
using FedServerless.Activities.Metering;
using FedServerless.Gateway;
using FedServerless.Gateway.Authentication;
using FedServerless.Gateway.Http;
using FedServerless.Gateway.Limits;
using FedServerless.Local.Engine;
using FedServerless.Local.Engine.Journal;
using FedServerless.Storage;
using FedServerless.Storage.Azure;
using FedServerless.Storage.Azure.Azurite;
using FedServerless.Storage.Files;
using FedServerless.Storage.Presigned;
using FedServerless.Wire;
using FedServerless.Workflows;
using FedServerless.Workflows.Engine;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace FedServerless.Local.Hosting;

/// <summary>The embedded host, running: Kestrel, the gateway, the engine and a store, over one data folder.</summary>
public sealed class LocalHost : IAsyncDisposable
{
    /// <summary>File in the data folder that holds the address of the running host, where the command line finds it.</summary>
    public const string UrlFile = "host.url";

    /// <summary>What the key of pre-signed URLs is derived for.</summary>
    private const string UrlPurpose = "fed presigned urls v1";

    private readonly List<IDisposable> _owned = [];

    private readonly CancellationTokenSource _stopping = new();

    private readonly string _urlFile;

    private WebApplication? _app;

    private AzuriteProcess? _azurite;

    private LocalHost(string dataFolder) => _urlFile = Path.Combine(dataFolder, UrlFile);

    /// <summary>Where it listens, with the port it got.</summary>
    public Uri Url { get; private set; } = null!;

    /// <summary>The operator's key.</summary>
    public string OperatorKey { get; private set; } = null!;

    /// <summary>The store.</summary>
    public IObjectStore Store { get; private set; } = null!;

    /// <summary>The engine.</summary>
    public EmbeddedEngine Engine => Services.GetRequiredService<EmbeddedEngine>();

    /// <summary>Everything in it.</summary>
    public IServiceProvider Services => _app!.Services;

    /// <summary>Starts a host. It serves when this returns.</summary>
    /// <exception cref="HostStartException">It cannot; the message says what to do.</exception>
    public static async Task<LocalHost> StartAsync(LocalHostOptions options, LocalHostParts? parts, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        var host = new LocalHost(options.DataFolder);
        try
        {
            await host.BuildAsync(options, parts ?? new LocalHostParts(), cancellationToken);
            await host._app!.StartAsync(cancellationToken);
            host.Url = new Uri(host._app.Urls.First());
            await File.WriteAllTextAsync(host._urlFile, host.Url + "\n", cancellationToken);
            return host;
        }
        catch (Exception exception)
        {
            await host.DisposeAsync();
            throw Explain(exception, options) ?? exception;
        }
    }

    /// <summary>Makes a new master secret in a folder on which no host runs; the one in use becomes the previous one.</summary>
    /// <exception cref="HostStartException">A host runs there, or the folder's secrets are damaged; nothing was changed.</exception>
    public static SecretRing RotateSecrets(string dataFolder)
    {
        try
        {
            using var only = DataFolderLock.Acquire(dataFolder);
            return SecretFiles.Rotate(dataFolder);
        }
        catch (Exception exception)
        {
            throw Explain(exception, new LocalHostOptions { DataFolder = dataFolder }) ?? exception;
        }
    }

    /// <summary>Runs until it is told to stop, by a signal or by its engine.</summary>
    public Task WaitForShutdownAsync(CancellationToken cancellationToken) => _app!.WaitForShutdownAsync(cancellationToken);

    /// <summary>Stops: held requests are let go, running ones end, activities are cancelled and run again at the next start.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        if (_app is not null)
        {
            File.Delete(_urlFile);
            await _app.StopAsync(CancellationToken.None);
            await _app.DisposeAsync();
            _app = null;
        }

        for (var i = _owned.Count - 1; i >= 0; i--)
        {
            _owned[i].Dispose();
        }

        _owned.Clear();
        if (_azurite is not null)
        {
            await _azurite.DisposeAsync();
            _azurite = null;
        }

        _stopping.Dispose();
    }

    private async Task BuildAsync(LocalHostOptions options, LocalHostParts parts, CancellationToken cancellationToken)
    {
        _owned.Add(DataFolderLock.Acquire(options.DataFolder));
        var secrets = SecretFiles.Load(options.DataFolder);
        OperatorKey = secrets.OperatorKey;
        var time = parts.Time ?? TimeProvider.System;
        var signer = new PresignedUrlSigner(secrets.Ring.Current.Derive(UrlPurpose), time, secrets.Ring.Previous?.Derive(UrlPurpose));
        Store = await OpenStoreAsync(options, parts, signer, time, cancellationToken);

        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.WebHost.UseUrls(options.Url).UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = DeviceApi.MaxBodyBytes;
            kestrel.Limits.MaxRequestHeaderCount = RequestLimits.MaxHeaders;
            kestrel.Limits.MaxRequestHeadersTotalSize = RequestLimits.MaxHeadersLength;
        });
        AddLogging(builder.Logging, parts);
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(30));
        builder.Services.AddSingleton(Store).AddSingleton(time);
        builder.Services.AddSingleton<IOperatorAuthenticator>(new OperatorKeyAuthenticator(secrets.OperatorKey));
        builder.Services.AddSingleton<IServerSecrets>(new FixedSecrets(secrets.Ring)).AddFedGateway(Gateway(options));
        AddEngine(builder.Services, options, parts, time);

        _app = builder.Build();
        _app.Lifetime.ApplicationStopping.Register(_stopping.Cancel);
        _app.UseProblemBodies();
        _app.MapTable(Services.GetRequiredService<RouteTable>(), Services.GetRequiredService<RouteRunner>(), Services.GetRequiredService<IWorkflowClient>());
        _app.MapBlobs(new PresignedTransfers(Store, signer));
    }

    private GatewayOptions Gateway(LocalHostOptions options) => new()
    {
        PublicUrl = options.PublicUrl,
        HoldCheckInsFor = options.HoldCheckInsFor,
        MinRetryAfter = TimeSpan.FromSeconds(1),
        Upkeep = options.Upkeep,
        Limits = options.Limits,
        Usage = new UsageOptions { Prices = PriceFile.Read(options.DataFolder) },
        IsStoreFull = static exception => exception is JournalException { Fault: JournalFault.Full or JournalFault.Unavailable },
        Trouble = () => _app is null ? null : Engine.Trouble,
        Stopping = _stopping.Token,
    };

    private async Task<IObjectStore> OpenStoreAsync(
        LocalHostOptions options, LocalHostParts parts, PresignedUrlSigner signer, TimeProvider time, CancellationToken cancellationToken)
    {
        if (parts.Store is not null)
        {
            return parts.Store(signer);
        }

        if (options.AzuriteInstallation is { } installation)
        {
            _azurite = await AzuriteProcess.StartAsync(
                new AzuriteOptions { Installation = installation, DataFolder = Path.Combine(options.DataFolder, "azurite") }, cancellationToken);
        }

        if ((_azurite?.ConnectionString ?? options.AzureConnectionString) is { } connection)
        {
            var blobs = await AzureBlobStore.OpenAsync(
                new AzureBlobStoreOptions { ConnectionString = connection, Container = options.AzureContainer, Time = time }, cancellationToken);
            _owned.Add(blobs);
            return blobs;
        }

        return FileObjectStore.Open(new FileObjectStoreOptions
        {
            Root = Path.Combine(options.DataFolder, "objects"),
            Signer = signer,
            Time = time,
            FlushToDisk = options.FlushToDisk,
        });
    }

    private static void AddEngine(IServiceCollection services, LocalHostOptions options, LocalHostParts parts, TimeProvider time)
    {
        services.AddSingleton(provider => new ActivitySet(
            provider.GetRequiredService<IObjectStore>(), provider.GetRequiredService<IPresence>(), provider.GetRequiredService<IRoundBell>(), time,
            provider.GetRequiredService<UsageBook>()));
        services.AddSingleton(provider =>
        {
            var engine = new EmbeddedEngineBuilder(WorkflowJson.Default);
            WorkflowBindings.BindAll(engine, provider.GetRequiredService<ActivitySet>());
            return engine.Build(
                parts.Journal ?? new SqliteJournal(Path.Combine(options.DataFolder, "journal.db")),
                options: null,
                time,
                provider.GetRequiredService<ILoggerFactory>());
        });
        services.AddSingleton<IWorkflowClient>(provider => new PromptWorkflows(provider.GetRequiredService<EmbeddedEngine>(), time));
        services.AddHostedService(provider => provider.GetRequiredService<EmbeddedEngine>());
        services.AddHostedService<EngineWatch>();
        services.AddSingleton(options).AddHostedService<UpkeepService>();
    }

    private static void AddLogging(ILoggingBuilder logging, LocalHostParts parts)
    {
        logging.ClearProviders();
        if (parts.Logging is not null)
        {
            parts.Logging(logging);
            return;
        }

        // What keeps a host from starting is said once, by whoever started it.
        logging.SetMinimumLevel(LogLevel.Warning).AddFilter("FedServerless", LogLevel.Information).AddFilter("Microsoft.Extensions.Hosting", LogLevel.None);
        logging.AddSimpleConsole(console => console.SingleLine = true);
        logging.Services.Configure<Microsoft.Extensions.Logging.Console.ConsoleLoggerOptions>(
            console => console.LogToStandardErrorThreshold = LogLevel.Trace);
    }

    private static HostStartException? Explain(Exception exception, LocalHostOptions options) => exception switch
    {
        DataFolderInUseException or SecretFileException or JournalException or StoreFullException or AzuriteUnavailableException or AzuriteStartException => new HostStartException(exception.Message, exception),
        IOException { InnerException: AddressInUseException } => new HostStartException(
            $"{options.Url} is taken by another program. Stop that one, or choose another port with --port N (0 for any free one).", exception),
        SocketException or IOException { InnerException: SocketException } => new HostStartException(
            $"{options.Url} cannot be listened on: {exception.Message} Choose another port with --port N (0 for any free one).", exception),
        UnauthorizedAccessException or IOException => new HostStartException($"'{options.DataFolder}' cannot be used: {exception.Message} Choose another with --data.", exception),
        _ => null,
    };
}
