using FedServerless.Activities.State;
using FedServerless.Storage;

namespace FedServerless.Activities.Rounds;

internal static class CohortReading
{
    /// <summary>Every client of a plan's cohort; shards that no client falls into do not exist.</summary>
    public static async Task<List<string>> ReadCohortAsync(this IObjectStore store, RoundPlan plan, CancellationToken cancellationToken)
    {
        var clients = new List<string>(plan.Cohort.Count);
        for (var shard = 0; shard < plan.Cohort.Shards; shard++)
        {
            var name = StoreNames.CohortShard(plan.Run, plan.Round, plan.Cohort.Digest, shard);
            var stored = await store.FindAsync(name, StoreJson.Default.CohortShardDocument, cancellationToken);
            clients.AddRange(stored?.Value.Clients ?? []);
        }

        return clients;
    }
}
