using FedServerless.Activities.State;
using FedServerless.Local.Engine;
using FedServerless.Storage;
using FedServerless.Workflows;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace FedServerless.Local.Hosting;

/// <summary>Wakes the active runs when the host starts, and stops the host when its engine cannot go on.</summary>
internal sealed partial class EngineWatch(
    EmbeddedEngine engine, IObjectStore store, IHostApplicationLifetime lifetime, ILogger<EngineWatch> logger) : BackgroundService
{
    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await WakeAsync(stoppingToken);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            // A wake is a hint: the runs look by themselves after a while.
            LogWakeFailed(logger, exception);
        }

        try
        {
            await engine.Completion.WaitAsync(stoppingToken);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            LogEngineEnded(logger, exception);
            lifetime.StopApplication();
        }
    }

    private async Task WakeAsync(CancellationToken cancellationToken)
    {
        var runs = new List<string>();
        await foreach (var facts in store.ListAsync(StoreNames.RunIndex, cancellationToken))
        {
            runs.Add(facts.Name[StoreNames.RunIndex.Length..]);
        }

        foreach (var run in runs)
        {
            var document = await store.FindAsync(StoreNames.Run(run), StoreJson.Default.RunDocument, cancellationToken);
            var active = document is null
                ? null
                : await store.FindAsync(StoreNames.ActiveRun(document.Value.Spec.Population, run), StoreJson.Default.ActiveRunDocument, cancellationToken);
            if (active is not null)
            {
                await engine.WakeAsync(active.Value.Instance, WakeEvents.Clients, cancellationToken);
                await engine.WakeAsync(active.Value.Instance, WakeEvents.Control, cancellationToken);
            }
        }
    }

    [LoggerMessage(4003, LogLevel.Warning, "Waking the active runs failed; they look by themselves after a while")]
    private static partial void LogWakeFailed(ILogger logger, Exception exception);

    [LoggerMessage(4004, LogLevel.Critical, "The workflow engine ended; the host stops")]
    private static partial void LogEngineEnded(ILogger logger, Exception exception);
}
