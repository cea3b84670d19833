using FedServerless.Activities.State;
using FedServerless.Storage;

namespace FedServerless.Activities.Rounds;

/// <summary>
/// What a private round leaves in the store when it closes: who took part, and nothing that was made of an un-noised value. Everything here may be repeated, and a
/// late copy of an earlier step finds its name taken.
/// </summary>
internal static class PrivateTraces
{
    private const int AtOnce = 16;

    /// <summary>Removes them.</summary>
    /// <param name="store">All state.</param>
    /// <param name="plan">Of a private round that has its outcome.</param>
    /// <param name="seal">Its seal.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public static async Task RemoveAsync(IObjectStore store, RoundPlan plan, SealDocument seal, CancellationToken cancellationToken)
    {
        var (run, round) = (plan.Run, plan.Round);
        var empty = new VerdictsDocument([]);
        for (var chunk = 0; seal.Aggregate && chunk < RoundTasks.Of(plan, seal.Receipts.Count).Validations(seal.Receipts.Count); chunk++)
        {
            await store.PutAsync(StoreNames.Verdicts(run, round, chunk), empty, StoreJson.Default.VerdictsDocument, PutCondition.Overwrite, cancellationToken);
        }

        if (await store.FindAsync(StoreNames.Accepted(run, round), StoreJson.Default.AcceptedDocument, cancellationToken) is { } accepted)
        {
            var bare = accepted.Value with { Accepted = [.. accepted.Value.Accepted.Select(update => update with { Header = default, Private = null })] };
            await store.PutAsync(StoreNames.Accepted(run, round), bare, StoreJson.Default.AcceptedDocument, PutCondition.Overwrite, cancellationToken);
        }

        for (var shard = 0; seal.Aggregate && shard < RoundGeometry.ShardCount(plan); shard++)
        {
            await store.PutBytesAsync(StoreNames.NoisySum(run, round, shard), default, PutCondition.Overwrite, cancellationToken);
        }

        // Those that came late, too: they are in no seal.
        var receipts = await store.ListIdsAsync(StoreNames.Receipts(run, round), cancellationToken);
        var options = new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(receipts, options, async (client, token) => await BareAsync(store, StoreNames.Receipt(run, round, client), token));
    }

    /// <summary>Leaves of a receipt that it was there.</summary>
    private static async Task BareAsync(IObjectStore store, string name, CancellationToken cancellationToken)
    {
        if (await store.FindAsync(name, StoreJson.Default.ReceiptDocument, cancellationToken) is { Value.IsBare: false } stored)
        {
            await store.PutAsync(name, stored.Value.Bare(), StoreJson.Default.ReceiptDocument, PutCondition.Overwrite, cancellationToken);
        }
    }
}
