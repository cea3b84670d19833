using Microsoft.Extensions.Logging;

namespace FedServerless.Gateway.Upkeep;

/// <summary>All sweeps in one call, for a timer. One that fails does not keep the others from their work.</summary>
public sealed partial class Sweeper(OrphanSweep orphans, EnrolmentSweep enrolments, AgeSweep ages, ReservationSweep reservations, ILogger<Sweeper> logger)
{
    /// <summary>One pass; returns how many objects and reservations went.</summary>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        var swept = 0;
        foreach (var (what, sweep) in new (string, Func<CancellationToken, Task<int>>)[]
        {
            ("orphaned uploads", orphans.RunAsync), ("one-time codes", enrolments.RunAsync), ("what is kept for a time", ages.RunAsync),
            ("reservations of rounds that are over", reservations.RunAsync),
        })
        {
            try
            {
                swept += await sweep(cancellationToken);
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                LogFailed(what, exception);
            }
        }

        if (swept > 0)
        {
            LogSwept(swept);
        }

        return swept;
    }

    [LoggerMessage(3121, LogLevel.Information, "Swept {Objects} objects that nobody needs")]
    private partial void LogSwept(int objects);

    [LoggerMessage(3122, LogLevel.Warning, "Sweeping {What} failed; it is tried again")]
    private partial void LogFailed(string what, Exception exception);
}
