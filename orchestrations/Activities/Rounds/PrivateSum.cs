using System.Runtime.InteropServices;
using System.Security.Cryptography;
using FedServerless.Activities.Privacy;
using FedServerless.Activities.State;
using FedServerless.Aggregation;
using FedServerless.Privacy;
using FedServerless.Storage;
using FedServerless.Wire.Updates;

namespace FedServerless.Activities.Rounds;

/// <summary>
/// Steps 8 and 9 of a private round on one coordinate range: exact sum, noise, and only then a number that may be seen. The noised sum is written once under the
/// shard's name before anything is made of it; whoever comes second throws its own draw away unread. Nothing is noised that the ledger has not charged.
/// </summary>
internal sealed class PrivateSum(IObjectStore store, RoundReader rounds, PrivacyLedger ledger)
{
    /// <summary>The noised mean of a range, in double: <c>noisy·γ/(qN)</c>. Null when the round is over: this is a stale copy, with nothing to do.</summary>
    public async Task<double[]?> MeanAsync(
        RoundPlan plan, UpdateShape shape, RoundContributions contributions, int shard, ShardRange range, CancellationToken cancellationToken)
    {
        var noisy = await NoisyAsync(plan, shape, contributions, shard, range, cancellationToken);
        if (noisy is null)
        {
            return null;
        }

        var mean = new double[range.Count];
        plan.Privacy!.Grid.Complete(noisy, plan.Privacy.Terms.Denominator, mean);
        return mean;
    }

    /// <summary>The next round's clipping norm, from the noised sum of the clients' bits; written once.</summary>
    public async Task AdaptClipAsync(RoundPlan plan, RoundContributions contributions, CancellationToken cancellationToken)
    {
        var name = StoreNames.Clip(plan.Run, plan.Round);
        if (plan.Privacy is not { Adaptive: { } adaptive } privacy || await store.HeadAsync(name, cancellationToken) is not null)
        {
            return;
        }

        await RequireChargeAsync(plan, cancellationToken);
        var grid = privacy.Grid;
        var bits = contributions.Updates.Sum(update => update.Private?.WithinClip switch
        {
            true => grid.StepsPerClip,
            false => -grid.StepsPerClip,
            _ => 0,
        });
        var noisy = NoiseBlock.AddToBits(bits, adaptive, grid);
        var document = new ClipDocument(noisy, adaptive.Next(grid, noisy, privacy.Terms.Denominator));
        await store.CreateOnceAsync(name, document, StoreJson.Default.ClipDocument, cancellationToken);
    }

    private async Task<long[]?> NoisyAsync(
        RoundPlan plan, UpdateShape shape, RoundContributions contributions, int shard, ShardRange range, CancellationToken cancellationToken)
    {
        var partial = new PartialSum(shard, PartialSum.Noisy, range.Count, contributions.Digest);
        var name = StoreNames.NoisySum(plan.Run, plan.Round, shard);
        if (await store.HeadAsync(name, cancellationToken) is null)
        {
            await RequireChargeAsync(plan, cancellationToken);
            var sums = await SumAsync(plan, shape, contributions, shard, range, cancellationToken);
            NoiseBlock.Add(sums, plan.Privacy!.DeltaNoiseMultiplier, plan.Privacy.Grid);
            var bytes = new byte[partial.Length];
            MemoryMarshal.AsBytes(sums.AsSpan()).CopyTo(PartialSum.Values(bytes));
            partial.Seal(0, bytes);
            await store.PutBytesAsync(name, bytes, PutCondition.CreateOnce, cancellationToken);
            CryptographicOperations.ZeroMemory(bytes);
        }

        // Read back even by who wrote it: what is used is what is stored, and no other draw.
        var stored = await store.FindBytesAsync(name, cancellationToken) ?? throw new InvalidDataException($"'{name}' was written and is gone.");
        if (stored.Content.Length == 0)
        {
            return null;
        }

        partial.Open(stored.Content);
        return MemoryMarshal.Cast<byte, long>(PartialSum.Values(stored.Content)).ToArray();
    }

    private async Task<long[]> SumAsync(
        RoundPlan plan, UpdateShape shape, RoundContributions contributions, int shard, ShardRange range, CancellationToken cancellationToken)
    {
        var total = new GridFold(shape, range);
        var count = contributions.Updates.Count;
        var reduction = RoundTasks.Of(plan, count);
        if (reduction.Levels == 1)
        {
            var updates = new AcceptedUpdates(store, rounds, plan, shape, contributions.Updates);
            for (var chunk = 0; chunk < reduction.Chunks(count); chunk++)
            {
                var (first, clients) = ClientChunks.Range(chunk, count, reduction.ChunkClients);
                await total.AddAsync(updates, contributions.Updates, first, clients, cancellationToken);
            }

            return total.Sums;
        }

        var partials = new PartialSums(store, plan);
        for (var chunk = 0; chunk < reduction.Chunks(count); chunk++)
        {
            var partial = new PartialSum(shard, chunk, range.Count, contributions.Digest);
            if (!await partials.TryReadAsync(partial, (values, _) => total.Join(MemoryMarshal.Cast<byte, long>(values)), cancellationToken))
            {
                throw new InvalidDataException($"The partial sum of shard {shard}, chunk {chunk} was folded and is gone.");
            }
        }

        return total.Sums;
    }

    private async Task RequireChargeAsync(RoundPlan plan, CancellationToken cancellationToken)
    {
        if (!await ledger.IsChargedAsync(plan.Population, plan.Run, plan.Round, cancellationToken))
        {
            throw new InvalidOperationException($"Round {plan.Round} of '{plan.Run}' is not charged to the ledger of '{plan.Population}': nothing of it may be noised.");
        }
    }
}
