using System.Buffers;
using FedServerless.Activities.State;
using FedServerless.Privacy;
using FedServerless.Wire;
using FedServerless.Wire.Updates;

namespace FedServerless.Activities.Rounds;

/// <summary>
/// The sums of one coordinate range over some clients of a private round, in steps of the round's grid: integers, so that neither order nor sharding nor
/// levels change anything. Un-noised: they leave the process only as a partial sum that the round's close removes.
/// </summary>
internal sealed class GridFold
{
    private readonly UpdateShape _shape;
    private readonly ShardRange _range;
    private readonly int _firstBlock;
    private readonly int _blockCount;

    public GridFold(UpdateShape shape, ShardRange range)
    {
        if (range.IsBuffers)
        {
            throw new ArgumentException("A private round has parameters only.", nameof(range));
        }

        (_shape, _range) = (shape, range);
        (_firstBlock, _blockCount) = range.Count == 0 ? (0, 0) : shape.BlocksOf(range.Start, range.Count);
        Sums = new long[range.Count];
    }

    /// <summary>One for each coordinate of the range.</summary>
    public long[] Sums { get; }

    /// <summary>Forgets what was added.</summary>
    public void Restart() => Array.Clear(Sums);

    /// <summary>Adds some of the accepted updates.</summary>
    public async Task AddAsync(
        AcceptedUpdates updates, IReadOnlyList<AcceptedUpdate> accepted, int first, int count, CancellationToken cancellationToken)
    {
        if (_blockCount == 0)
        {
            return;
        }

        // By content: the same header is the same update, with the same scale, whoever sent it.
        var scales = new Dictionary<Digest, GridScale>();
        foreach (var update in accepted.Skip(first).Take(count))
        {
            scales[update.Header] = update.Private?.Scale
                ?? throw new InvalidDataException($"The update of '{update.Client}' was accepted without a place on the grid.");
        }

        var scratch = ArrayPool<float>.Shared.Rent(_shape.BlockCoordinates);
        try
        {
            await updates.ForEachAsync(first, count, _firstBlock, _blockCount, Visit, cancellationToken);
        }
        finally
        {
            Array.Clear(scratch);
            ArrayPool<float>.Shared.Return(scratch);
        }

        void Visit(int block, ReadOnlySpan<AcceptedUpdate> updates, ReadOnlySpan<UpdateHeader> headers, ReadOnlySpan<ReadOnlyMemory<byte>> bytes)
        {
            var (start, length) = _shape.ValuesOf(block);
            var values = scratch.AsSpan(0, length);
            for (var i = 0; i < headers.Length; i++)
            {
                if (!headers[i].TryDecodeBlock(block, bytes[i].Span, values))
                {
                    throw new InvalidDataException($"Block {block} of update {headers[i].Digest} passed validation and is now illegal.");
                }

                UpdateGrid.Accumulate(values, scales[headers[i].Digest], Sums.AsSpan((int)(start - _range.Start), length));
            }
        }
    }

    /// <summary>Adds what a chunk of clients came to.</summary>
    public void Join(ReadOnlySpan<long> sums)
    {
        for (var i = 0; i < Sums.Length; i++)
        {
            Sums[i] = checked(Sums[i] + sums[i]);
        }
    }
}
