using System.Buffers;
using FedServerless.Activities.State;
using FedServerless.Storage;
using FedServerless.Wire.Updates;

namespace FedServerless.Activities.Rounds;

/// <summary>What a fold does with one verified block of one update.</summary>
internal delegate void BlockVisitor(UpdateHeader header, double weight, int block, ReadOnlySpan<byte> bytes);

/// <summary>
/// The accepted updates of a round, read block range by block range, in client-id order. A few reads run ahead of the fold, so
/// that a distant store's latency is paid once, not once a client; memory is those few ranges.
/// </summary>
internal sealed class AcceptedUpdates(
    IObjectStore store, RoundReader rounds, RoundPlan plan, UpdateShape shape, IReadOnlyList<AcceptedUpdate> accepted)
{
    private const int ReadsAhead = 4;

    /// <summary>Visits every block of [<paramref name="firstBlock"/>, + <paramref name="blockCount"/>) of every update; updates in order, blocks in order within each.</summary>
    /// <exception cref="InvalidDataException">What passed validation is gone or changed.</exception>
    public async Task ForEachAsync(int firstBlock, int blockCount, BlockVisitor visit, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var pending = new Queue<Task<BlockRange>>();
        try
        {
            var next = 0;
            while (next < accepted.Count || pending.Count > 0)
            {
                while (next < accepted.Count && pending.Count < ReadsAhead)
                {
                    pending.Enqueue(ReadAsync(accepted[next++], firstBlock, blockCount, stop.Token));
                }

                var range = await pending.Dequeue();
                try
                {
                    Visit(range, firstBlock, blockCount, visit);
                }
                finally
                {
                    ArrayPool<byte>.Shared.Return(range.Bytes);
                }
            }
        }
        finally
        {
            await stop.CancelAsync();
            await Task.WhenAll(pending.Select(task => task.ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default)));
        }
    }

    private static void Visit(BlockRange range, int firstBlock, int blockCount, BlockVisitor visit)
    {
        var start = range.Header.BlockOffset(firstBlock);
        for (var block = firstBlock; block < firstBlock + blockCount; block++)
        {
            var bytes = range.Bytes.AsSpan((int)(range.Header.BlockOffset(block) - start), range.Header.BlockLength(block));
            if (!range.Header.VerifyBlock(block, bytes))
            {
                throw new InvalidDataException($"Block {block} of update {range.Header.Digest} changed since it was validated.");
            }

            visit(range.Header, range.Weight, block, bytes);
        }
    }

    private async Task<BlockRange> ReadAsync(AcceptedUpdate update, int firstBlock, int blockCount, CancellationToken cancellationToken)
    {
        var (header, problem) = await rounds.HeaderAsync(plan, shape, update.Client, update.Header, cancellationToken);
        if (header is null)
        {
            throw new InvalidDataException($"The accepted update of '{update.Client}' cannot be read: {problem}");
        }

        // Rented and returned once visited: a large model's ranges would otherwise pile up until the collector looks at them.
        var bytes = ArrayPool<byte>.Shared.Rent(checked((int)(header.BlockEnd(firstBlock + blockCount - 1) - header.BlockOffset(firstBlock))));
        var filled = 0;
        foreach (var read in UpdateParts.Cut(header, plan.Update.PartBytes).Reads(firstBlock, blockCount))
        {
            var name = StoreNames.UpdatePart(plan.Run, plan.Round, update.Client, update.Header, read.Part);
            if (await store.ReadAsync(name, read.Offset, bytes.AsMemory(filled, read.Length), cancellationToken) is null)
            {
                throw new InvalidDataException($"'{name}' passed validation and is gone.");
            }

            filled += read.Length;
        }

        return new BlockRange(header, update.Weight, bytes);
    }

    private sealed record BlockRange(UpdateHeader Header, double Weight, byte[] Bytes);
}
