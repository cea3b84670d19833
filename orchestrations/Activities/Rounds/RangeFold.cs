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
    private readonly Func<AcceptedUpdate, double> _weigh;

    /// <param name="shape">What an update looks like.</param>
    /// <param name="range">The coordinates.</param>
    /// <param name="weigh">What an update counts for, 0 or more; null for its weight.</param>
    public RangeFold(UpdateShape shape, ShardRange range, Func<AcceptedUpdate, double>? weigh = null)
    {
        _weigh = weigh ?? (static update => update.Weight);

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

    /// <summary>Folds some of the accepted updates, in order, into one or more folds of the same range: each update is read once.</summary>
    public static async Task AddAsync(IReadOnlyList<RangeFold> folds, AcceptedUpdates updates, int first, int count, CancellationToken cancellationToken)
    {
        if (folds is [var one, ..] && one._blocks.Length > 0)
        {
            await updates.ForEachAsync(first, count, one._firstBlock, one._blocks.Length, Visit, cancellationToken);
        }

        void Visit(int block, ReadOnlySpan<AcceptedUpdate> accepted, ReadOnlySpan<UpdateHeader> headers, ReadOnlySpan<ReadOnlyMemory<byte>> bytes)
        {
            foreach (var fold in folds)
            {
                fold.Add(block, accepted, headers, bytes);
            }
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

    private void Add(int block, ReadOnlySpan<AcceptedUpdate> updates, ReadOnlySpan<UpdateHeader> headers, ReadOnlySpan<ReadOnlyMemory<byte>> bytes)
    {
        Span<double> weights = stackalloc double[AcceptedUpdates.Together];
        weights = weights[..updates.Length];
        for (var i = 0; i < weights.Length; i++)
        {
            weights[i] = _weigh(updates[i]);
        }

        if (!_blocks[block - _firstBlock].TryAddAll(_codec.ForBlock(block), bytes, weights))
        {
            throw new InvalidDataException(
                $"Block {block} of update {string.Join(" or ", headers.ToArray().Select(header => header.Digest))} passed validation and is now illegal.");
        }
    }
}
