using System.Buffers;
using FedServerless.Activities.State;
using FedServerless.Storage;
using FedServerless.Wire.Updates;

namespace FedServerless.Activities.Rounds;

/// <summary>What a fold does with one verified block of a few updates. All spans have an element for each update, in client-id order.</summary>
internal delegate void BlocksVisitor(
    int block, ReadOnlySpan<AcceptedUpdate> updates, ReadOnlySpan<UpdateHeader> headers, ReadOnlySpan<ReadOnlyMemory<byte>> bytes);

/// <summary>
/// The accepted updates of a round, read block range by block range, in client-id order. A few are handed out together, since a
/// fold then passes over its sums once for all of them; as many are read meanwhile, so that a distant store's latency is not paid
/// for each client. Memory is those few ranges, whatever the cohort.
/// </summary>
internal sealed class AcceptedUpdates(
    IObjectStore store, RoundReader rounds, RoundPlan plan, UpdateShape shape, IReadOnlyList<AcceptedUpdate> accepted)
{
    /// <summary>Updates handed out together; the weighted mean adds so many in one pass.</summary>
    internal const int Together = 4;

    private const int ReadsAtOnce = 16;

    /// <summary>
    /// Visits every block of [<paramref name="firstBlock"/>, + <paramref name="blockCount"/>) of the updates
    /// [<paramref name="first"/>, + <paramref name="count"/>); each block sees the updates in order.
    /// </summary>
    /// <exception cref="InvalidDataException">What passed validation is gone or changed.</exception>
    public async Task ForEachAsync(
        int first, int count, int firstBlock, int blockCount, BlocksVisitor visit, CancellationToken cancellationToken)
    {
        var end = first + count;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var reading = ReadTogetherAsync(first, end, firstBlock, blockCount, stop.Token);
        try
        {
            for (var next = first + Together; next < end + Together; next += Together)
            {
                var ranges = await reading;
                reading = ReadTogetherAsync(next, end, firstBlock, blockCount, stop.Token);
                Visit(ranges, firstBlock, blockCount, visit);
                Array.ForEach(ranges, range => ArrayPool<byte>.Shared.Return(range.Bytes));
            }
        }
        finally
        {
            // Nothing may still write into a rented array, or use the token's source, once this method has ended.
            await stop.CancelAsync();
            await Task.WhenAny(reading);
        }
    }

    /// <summary>
    /// Visits every block of [<paramref name="firstBlock"/>, + <paramref name="blockCount"/>) with the bytes of all updates at once, in
    /// order. Memory is that range of every update: the caller keeps it within its budget.
    /// </summary>
    /// <exception cref="InvalidDataException">What passed validation is gone or changed.</exception>
    public async Task ForEachTogetherAsync(
        int firstBlock, int blockCount, Action<int, ReadOnlyMemory<byte>[]> visit, CancellationToken cancellationToken)
    {
        var pool = BlockMemory.Pool();
        var ranges = new BlockRange[accepted.Count];
        await Parallel.ForAsync(0, ranges.Length, new ParallelOptions { MaxDegreeOfParallelism = ReadsAtOnce, CancellationToken = cancellationToken }, async (i, token) =>
            ranges[i] = await ReadAsync(accepted[i], firstBlock, blockCount, pool, token));
        var bytes = new ReadOnlyMemory<byte>[ranges.Length];
        for (var block = firstBlock; block < firstBlock + blockCount; block++)
        {
            for (var i = 0; i < ranges.Length; i++)
            {
                bytes[i] = Verified(ranges[i], firstBlock, block);
            }

            visit(block, bytes);
        }

        Array.ForEach(ranges, range => pool.Return(range.Bytes));
    }

    private static ReadOnlyMemory<byte> Verified(BlockRange range, int firstBlock, int block)
    {
        var offset = range.Header.BlockOffset(block) - range.Header.BlockOffset(firstBlock);
        var bytes = range.Bytes.AsMemory((int)offset, range.Header.BlockLength(block));
        return range.Header.VerifyBlock(block, bytes.Span)
            ? bytes
            : throw new InvalidDataException($"Block {block} of update {range.Header.Digest} changed since it was validated.");
    }

    private static void Visit(BlockRange[] ranges, int firstBlock, int blockCount, BlocksVisitor visit)
    {
        var updates = Array.ConvertAll(ranges, range => range.Update);
        var headers = Array.ConvertAll(ranges, range => range.Header);
        var bytes = new ReadOnlyMemory<byte>[ranges.Length];
        for (var block = firstBlock; block < firstBlock + blockCount; block++)
        {
            for (var i = 0; i < ranges.Length; i++)
            {
                bytes[i] = Verified(ranges[i], firstBlock, block);
            }

            visit(block, updates, headers, bytes);
        }
    }

    /// <summary>The updates from <paramref name="index"/> on that are handed out together; none from <paramref name="end"/> on.</summary>
    private Task<BlockRange[]> ReadTogetherAsync(int index, int end, int firstBlock, int blockCount, CancellationToken cancellationToken)
    {
        var count = Math.Clamp(end - index, 0, Together);
        return Task.WhenAll(Enumerable.Range(index, count).Select(i => ReadAsync(accepted[i], firstBlock, blockCount, ArrayPool<byte>.Shared, cancellationToken)));
    }

    private async Task<BlockRange> ReadAsync(
        AcceptedUpdate update, int firstBlock, int blockCount, ArrayPool<byte> pool, CancellationToken cancellationToken)
    {
        var (header, problem) = await rounds.HeaderAsync(plan, shape, update.Client, update.Header, cancellationToken);
        if (header is null)
        {
            throw new InvalidDataException($"The accepted update of '{update.Client}' cannot be read: {problem}");
        }

        // What is rented goes back once it was folded; a failure leaves it to the garbage collector.
        var bytes = pool.Rent(checked((int)(header.BlockEnd(firstBlock + blockCount - 1) - header.BlockOffset(firstBlock))));
        var filled = 0;
        foreach (var read in UpdateParts.Cut(header, update.PartBytes ?? plan.Update.PartBytes).Reads(firstBlock, blockCount))
        {
            var name = StoreNames.UpdatePart(plan.Run, plan.Round, update.Client, update.Header, read.Part);
            if (await store.ReadAsync(name, read.Offset, bytes.AsMemory(filled, read.Length), cancellationToken) is null)
            {
                throw new InvalidDataException($"'{name}' passed validation and is gone.");
            }

            filled += read.Length;
        }

        return new BlockRange(update, header, bytes);
    }

    /// <summary>One update's share of the range; <see cref="Bytes"/> is rented and may be longer.</summary>
    private sealed record BlockRange(AcceptedUpdate Update, UpdateHeader Header, byte[] Bytes);
}
