using FedServerless.Activities.State;
using FedServerless.Storage;

namespace FedServerless.Activities.Rounds;

internal static class CohortReading
{
    /// <summary>Every client of a plan's cohort; shards that no client falls into do not exist.</summary>
    public static async Task<List<string>> ReadCohortAsync(this IObjectStore store, RoundPlan plan, CancellationToken cancellationToken)
    {
        var shards = new IReadOnlyList<string>[plan.Cohort.Shards];
        var options = new ParallelOptions { MaxDegreeOfParallelism = Listings.AtOnce, CancellationToken = cancellationToken };
        await Parallel.ForAsync(0, shards.Length, options, async (shard, token) =>
        {
            var name = StoreNames.CohortShard(plan.Run, plan.Round, plan.Cohort.Digest, shard);
            var stored = await store.FindAsync(name, StoreJson.Default.CohortShardDocument, token);
            shards[shard] = stored?.Value.Clients ?? [];
        });
        return [.. shards.SelectMany(clients => clients)];
    }
}
