using FedServerless.Functions.Engine;
using FedServerless.Gateway.Upkeep;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;

namespace FedServerless.Functions.Hosting;

/// <summary>What the timers call.</summary>
public sealed class UpkeepInvoker
{
    private readonly RunWatchdog _watchdog;
    private readonly InstancePurge _purge;
    private readonly Sweeper _sweeper;
    private readonly DurableEngine _engine;

    internal UpkeepInvoker(RunWatchdog watchdog, InstancePurge purge, Sweeper sweeper, DurableEngine engine) =>
        (_watchdog, _purge, _sweeper, _engine) = (watchdog, purge, sweeper, engine);

    /// <summary>Looks after started runs.</summary>
    public Task WatchAsync(DurableTaskClient client, FunctionContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return _watchdog.RunAsync(_engine.Client(client), context.CancellationToken);
    }

    /// <summary>Purges and sweeps.</summary>
    public async Task SweepAsync(DurableTaskClient client, FunctionContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        await _purge.RunAsync(_engine.Client(client), context.CancellationToken);
        await _sweeper.RunAsync(context.CancellationToken);
    }
}
