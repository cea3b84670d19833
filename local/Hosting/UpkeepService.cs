using FedServerless.Gateway.Upkeep;
using FedServerless.Workflows.Engine;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace FedServerless.Local.Hosting;

/// <summary>What timers do on Azure: the watchdog every minute, purging and sweeping every hour.</summary>
internal sealed partial class UpkeepService(
    RunWatchdog watchdog, StandingKeeper standings, InstancePurge purge, Sweeper sweeper, IWorkflowClient workflows, LocalHostOptions options, TimeProvider time, ILogger<UpkeepService> logger) : BackgroundService
{
    /// <inheritdoc/>
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(
        RepeatAsync("The watchdog", options.WatchEvery, async () => await watchdog.RunAsync(workflows, stoppingToken), stoppingToken),
        RepeatAsync("Keeping the standings", options.WatchEvery, async () => await standings.RunAsync(stoppingToken), stoppingToken),
        RepeatAsync("Sweeping", options.SweepEvery, () => SweepAsync(stoppingToken), stoppingToken));

    private async Task SweepAsync(CancellationToken stoppingToken)
    {
        await purge.RunAsync(workflows, stoppingToken);
        await sweeper.RunAsync(stoppingToken);
    }

    private async Task RepeatAsync(string what, TimeSpan every, Func<Task> pass, CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(every, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await pass();
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                // Untidiness is no reason to stop a host; the next pass tries again.
                LogFailed(what, exception);
            }
        }
    }

    [LoggerMessage(4002, LogLevel.Warning, "{What} failed; trying again later")]
    private partial void LogFailed(string what, Exception exception);
}
