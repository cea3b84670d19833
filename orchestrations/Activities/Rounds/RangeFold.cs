using FedServerless.Activities.State;
using FedServerless.Aggregation;
using FedServerless.Compression;
using FedServerless.Wire.Updates;

namespace FedServerless.Activities.Rounds;

/// <summary>
/// The sums of one coordinate range over some clients. Chunks of clients are folded one after another from zero and added in
/// order, here or in activities of their own: the same additions either way, so the same bytes.
/// </summary>
internal sealed class RangeFold
{
    private readonly ISumAggregation[] _blocks;
    private readonly IUpdateCodec _codec;
    private readonly int _firstBlock;

    public RangeFold(UpdateShape shape, ShardRange range)
    {
        // Robust rules that end in a sum bring weights of their own to the same fold.
        var rule = (ISumAggregator)Aggregators.Find(Aggregators.WeightedMean);
        (_firstBlock, var count) = range.Count == 0 ? (0, 0) : shape.BlocksOf(range.Start, range.Count);
        _blocks = [.. Enumerable.Range(_firstBlock, count).Select(block => rule.Begin(shape.ValuesOf(block).Count))];

        // Buffers are float32 whatever the codec of the parameters is.
        _codec = range.IsBuffers ? UpdateCodecs.All.Get(UpdateCodecs.Float32) : shape.Codec;
        Range = range;
    }

    public ShardRange Range { get; }

    /// <summary>Weights added so far; 0 for an empty range, which has no sums.</summary>
    public double Weight => _blocks.Length == 0 ? 0 : _blocks[0].Weight;

    /// <summary>Forgets what was added.</summary>
    public void Restart() => Array.ForEach(_blocks, block => block.Restart(block.Dimension));

    /// <summary>Folds some of the accepted updates, in order.</summary>
    public async Task AddAsync(AcceptedUpdates updates, int first, int count, CancellationToken cancellationToken)
    {
        if (_blocks.Length > 0)
        {
            await updates.ForEachAsync(first, count, _firstBlock, _blocks.Length, Visit, cancellationToken);
        }
    }

    /// <summary>Adds sums of other clients, as one term.</summary>
    public void Join(ReadOnlySpan<double> sum, double weight)
    {
        var offset = 0;
        foreach (var block in _blocks)
        {
            block.Join(sum.Slice(offset, block.Dimension), weight);
            offset += block.Dimension;
        }
    }

    /// <summary>Copies the sums.</summary>
    public void CopySum(Span<double> sum) => ForEach(sum, static (block, slice) => block.CopySum(slice));

    /// <summary>The aggregate, in double: deltas for parameters, values for buffers.</summary>
    public double[] Complete()
    {
        var aggregate = new double[Range.Count];
        ForEach(aggregate, static (block, slice) => block.Complete(slice));
        return aggregate;
    }

    private void ForEach(Span<double> values, Action<ISumAggregation, Span<double>> copy)
    {
        var offset = 0;
        foreach (var block in _blocks)
        {
            copy(block, values.Slice(offset, block.Dimension));
            offset += block.Dimension;
        }
    }

    private void Visit(int block, ReadOnlySpan<UpdateHeader> headers, ReadOnlySpan<ReadOnlyMemory<byte>> bytes, ReadOnlySpan<double> weights)
    {
        if (!_blocks[block - _firstBlock].TryAddAll(_codec.ForBlock(block), bytes, weights))
        {
            throw new InvalidDataException(
                $"Block {block} of update {string.Join(" or ", headers.ToArray().Select(header => header.Digest))} passed validation and is now illegal.");
        }
    }
}
