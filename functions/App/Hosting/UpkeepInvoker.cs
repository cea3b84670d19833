using FedServerless.Functions.Engine;
using FedServerless.Gateway.Upkeep;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;

namespace FedServerless.Functions.Hosting;

/// <summary>What the timers call.</summary>
public sealed partial class UpkeepInvoker
{
    private readonly RunWatchdog _watchdog;
    private readonly InstancePurge _purge;
    private readonly OrphanSweep _orphans;
    private readonly EnrolmentSweep _enrolments;
    private readonly DurableEngine _engine;
    private readonly ILogger _logger;

    internal UpkeepInvoker(
        RunWatchdog watchdog, InstancePurge purge, OrphanSweep orphans, EnrolmentSweep enrolments, DurableEngine engine, ILogger<UpkeepInvoker> logger) =>
        (_watchdog, _purge, _orphans, _enrolments, _engine, _logger) = (watchdog, purge, orphans, enrolments, engine, logger);

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
        var swept = await _orphans.RunAsync(context.CancellationToken) + await _enrolments.RunAsync(context.CancellationToken);
        if (swept > 0)
        {
            LogSwept(swept);
        }
    }

    [LoggerMessage(2201, LogLevel.Information, "Swept {Objects} orphaned uploads and dead codes")]
    private partial void LogSwept(int objects);
}
