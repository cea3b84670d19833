using FedServerless.Activities.State;
using FedServerless.Storage;

namespace FedServerless.Gateway.Runs;

/// <summary>Where a run stands, found in its blobs with a handful of looks whatever its length.</summary>
/// <param name="Closed">Rounds that have an outcome; they have no gaps.</param>
/// <param name="Published">Of those, how many published.</param>
/// <param name="IsInRound">True when the next round is planned.</param>
internal sealed record RunLocation(int Closed, int Published, bool IsInRound)
{
    /// <summary>The round it is in or ended with; 0 before the first.</summary>
    public int Round => IsInRound ? Closed + 1 : Closed;

    public static async Task<RunLocation> FindAsync(IObjectStore store, string run, CancellationToken cancellationToken)
    {
        var low = 0;
        var high = 1;
        while (await IsClosedAsync(high))
        {
            (low, high) = (high, high * 2);
        }

        while (high - low > 1)
        {
            var middle = low + ((high - low) / 2);
            (low, high) = await IsClosedAsync(middle) ? (middle, high) : (low, middle);
        }

        var last = low == 0
            ? null
            : await store.FindAsync(StoreNames.RoundOutcome(run, low), StoreJson.Default.RoundOutcomeDocument, cancellationToken);
        var isInRound = await store.HeadAsync(StoreNames.Plan(run, low + 1), cancellationToken) is not null;
        return new RunLocation(low, last?.Value.PublishedRounds ?? 0, isInRound);

        async Task<bool> IsClosedAsync(int round) => await store.HeadAsync(StoreNames.RoundOutcome(run, round), cancellationToken) is not null;
    }
}
