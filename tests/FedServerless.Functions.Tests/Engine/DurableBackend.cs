using DurableTask.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.DurableTask.Testing.Sidecar;
using Microsoft.DurableTask.Testing.Sidecar.Grpc;
using Microsoft.DurableTask.Worker;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace FedServerless.Functions.Tests.Engine;

/// <summary>
/// Microsoft.DurableTask's in-process backend on a port of its own, and a worker that can be stopped and started again while the
/// backend goes on. The package's own host picks its port by chance from 10 000 and keeps both halves together.
/// </summary>
internal sealed class DurableBackend : IAsyncDisposable
{
    private readonly WebApplication _sidecar;
    private readonly GrpcChannel _channel;
    private readonly Action<DurableTaskRegistry> _register;
    private readonly ILoggerFactory _log;
    private IHost? _worker;

    private DurableBackend(WebApplication sidecar, Action<DurableTaskRegistry> register, ILoggerFactory log)
    {
        (_sidecar, _register, _log) = (sidecar, register, log);
        _channel = GrpcChannel.ForAddress(sidecar.Urls.First());
    }

    /// <summary>The client; lives as long as the worker.</summary>
    public DurableTaskClient Client { get; private set; } = null!;

    public static async Task<DurableBackend> StartAsync(Action<DurableTaskRegistry> register, ILoggerFactory log)
    {
        var memory = new InMemoryOrchestrationService(log);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0").ConfigureKestrel(kestrel =>
            kestrel.ConfigureEndpointDefaults(endpoint => endpoint.Protocols = HttpProtocols.Http2));
        builder.Services.AddGrpc();
        builder.Services.AddSingleton(ManyAtOnce.Over(memory)).AddSingleton<IOrchestrationServiceClient>(memory).AddSingleton<TaskHubGrpcServer>();
        var sidecar = builder.Build();
        sidecar.MapGrpcService<TaskHubGrpcServer>();
        await sidecar.StartAsync();
        var backend = new DurableBackend(sidecar, register, log);
        await backend.StartWorkerAsync();
        return backend;
    }

    /// <summary>Starts the worker.</summary>
    public async Task StartWorkerAsync()
    {
        var builder = new HostApplicationBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton(_log);
        builder.Services.AddDurableTaskWorker(worker =>
        {
            worker.UseGrpc(_channel);
            worker.AddTasks(_register);
        });
        builder.Services.AddDurableTaskClient(client =>
        {
            client.UseGrpc(_channel);
            client.RegisterDirectly();
        });
        _worker = builder.Build();
        Client = _worker.Services.GetRequiredService<DurableTaskClient>();
        await _worker.StartAsync();
    }

    /// <summary>Stops the worker; the backend keeps what it knows.</summary>
    public async Task StopWorkerAsync()
    {
        await _worker!.StopAsync();
        _worker.Dispose();
        _worker = null;
    }

    public async ValueTask DisposeAsync()
    {
        if (_worker is not null)
        {
            await StopWorkerAsync();
        }

        await _channel.ShutdownAsync();
        _channel.Dispose();

        // What never ends (a test's foreign await) must not hold the test: the backend waits an hour for it.
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        try
        {
            await _sidecar.StopAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            // Nothing of it outlives the process.
        }

        await _sidecar.DisposeAsync();
    }
}
