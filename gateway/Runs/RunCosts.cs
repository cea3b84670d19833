using FedServerless.Activities.Metering;
using FedServerless.Activities.State;
using FedServerless.Storage;
using FedServerless.Wire;

namespace FedServerless.Gateway.Runs;

/// <summary>What runs cost so far, for those who watch. The last answer is kept for a while: hosts do not write more often either.</summary>
public sealed class RunCosts(IObjectStore store, UsageBook usage, TimeProvider time)
{
    private Answer? _last;

    /// <summary>The run's cost.</summary>
    internal async Task<CostView> OfAsync(string run, int closed, CancellationToken cancellationToken)
    {
        if (_last is { } known && known.Run == run && known.Closed == closed && time.GetUtcNow() - known.At < usage.Meter.Options.FlushEvery)
        {
            return known.Cost;
        }

        var last = closed == 0
            ? null
            : (await store.FindAsync(StoreNames.RoundOutcome(run, closed), StoreJson.Default.RoundOutcomeDocument, cancellationToken))?.Value;
        var cost = usage.Price(await usage.OfRunAsync(run, closed, last, cancellationToken));
        _last = new Answer(run, closed, time.GetUtcNow(), cost);
        return cost;
    }

    private sealed record Answer(string Run, int Closed, DateTimeOffset At, CostView Cost);
}
