using FedServerless.Functions.Engine;
using FedServerless.Gateway.Upkeep;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;

namespace FedServerless.Functions.Hosting;

/// <summary>What the timers call.</summary>
public sealed class UpkeepInvoker
{
    private readonly RunWatchdog _watchdog;
    private readonly StandingKeeper _standings;
    private readonly InstancePurge _purge;
    private readonly Sweeper _sweeper;
    private readonly DurableEngine _engine;

    internal UpkeepInvoker(RunWatchdog watchdog, StandingKeeper standings, InstancePurge purge, Sweeper sweeper, DurableEngine engine) =>
        (_watchdog, _standings, _purge, _sweeper, _engine) = (watchdog, standings, purge, sweeper, engine);

    /// <summary>Looks after started runs and their clients' standings.</summary>
    public async Task WatchAsync(DurableTaskClient client, FunctionContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        await _watchdog.RunAsync(_engine.Client(client), context.CancellationToken);
        await _standings.RunAsync(context.CancellationToken);
    }

    /// <summary>Purges and sweeps.</summary>
    public async Task SweepAsync(DurableTaskClient client, FunctionContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        await _purge.RunAsync(_engine.Client(client), context.CancellationToken);
        await _sweeper.RunAsync(context.CancellationToken);
    }
}
