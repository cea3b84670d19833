using FedServerless.Compression;

namespace FedServerless.Aggregation;

/// <summary>
/// One range of coordinates being aggregated. Not thread-safe. The caller folds in ascending client id (ordinal), so that
/// every retry and every sharding repeats the same bytes.
/// </summary>
public interface IAggregation
{
    /// <summary>Coordinates in the range.</summary>
    int Dimension { get; }

    /// <summary>Adds one client's slice.</summary>
    /// <param name="update"><see cref="Dimension"/> finite values.</param>
    /// <param name="weight">The client's final weight, above 0 and finite; the same for every range of a round.</param>
    void Add(ReadOnlySpan<float> update, double weight);

    /// <summary>
    /// Adds one client's slice from its encoded block, to the same bytes as decoding it and calling <see cref="Add"/>.
    /// False when the codec refuses the block; the range then has to be started again without it.
    /// </summary>
    /// <param name="codec">The codec that wrote the block.</param>
    /// <param name="block">An encoded block of <see cref="Dimension"/> coordinates.</param>
    /// <param name="weight">The client's final weight, above 0 and finite; the same for every range of a round.</param>
    bool TryAdd(IUpdateCodec codec, ReadOnlySpan<byte> block, double weight);

    /// <summary>
    /// Adds several clients' blocks in the order given, to the same bytes as <see cref="TryAdd"/> one after another. Faster
    /// where the blocks are in memory together. False when the codec refuses any of them; the range then has to be started
    /// again.
    /// </summary>
    /// <param name="codec">The codec that wrote the blocks.</param>
    /// <param name="blocks">Encoded blocks of <see cref="Dimension"/> coordinates.</param>
    /// <param name="weights">A weight for each block, above 0 and finite.</param>
    bool TryAddAll(IUpdateCodec codec, ReadOnlySpan<ReadOnlyMemory<byte>> blocks, ReadOnlySpan<double> weights);

    /// <summary>Writes the aggregate of everything added so far.</summary>
    /// <param name="aggregate"><see cref="Dimension"/> values, overwritten.</param>
    /// <exception cref="InvalidOperationException">Nothing was added, or a block was refused.</exception>
    void Complete(Span<double> aggregate);

    /// <summary>Forgets everything added and starts another range in the memory already held.</summary>
    /// <param name="dimension">Coordinates in the next range, 0 or more.</param>
    void Restart(int dimension);
}
