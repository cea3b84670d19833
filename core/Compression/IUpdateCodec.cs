namespace FedServerless.Compression;

/// <summary>
/// A named, stateless way to write a block of parameter deltas as bytes. Blocks are independent of each other: any can be
/// decoded alone.
/// </summary>
public interface IUpdateCodec
{
    /// <summary>The name in specs: one of <see cref="UpdateCodecs"/>.</summary>
    string Name { get; }

    /// <summary>The id in update headers; stable for ever.</summary>
    byte Id { get; }

    /// <summary>
    /// True when every client's block says something about the same coordinates: all of them, or those of a mask that the round has in
    /// common. Clients whose updates leave coordinates out, each others, cannot be compared: see
    /// <see cref="Aggregation.Robust.RuleCodecs"/>. Default true.
    /// </summary>
    bool IsComparable => true;

    /// <summary>True when the blocks' coordinates are drawn from the plan's <see cref="Wire.UpdateSpec.MaskSeed"/>. Default false.</summary>
    bool HasMask => false;

    /// <summary>Smallest and largest legal encoded length, in bytes, of a block of <paramref name="coordinates"/> values.</summary>
    (int Min, int Max) EncodedLength(int coordinates);

    /// <summary>
    /// Bytes to expect of a block of so many values, for forecasts: for codecs of fixed length exact, and the default the largest legal
    /// length.
    /// </summary>
    int ExpectedLength(int coordinates) => EncodedLength(coordinates).Max;

    /// <summary>
    /// Largest legal length of all blocks of an update together, in bytes. Default: of each block its largest. Less where blocks share
    /// what an update may send.
    /// </summary>
    /// <param name="coordinates">Values of the update, 0 or more.</param>
    /// <param name="blockCoordinates">Values a block but for the last.</param>
    long MaxUpdateLength(long coordinates, int blockCoordinates)
    {
        var (whole, rest) = Math.DivRem(coordinates, blockCoordinates);
        return (whole * EncodedLength(blockCoordinates).Max) + (rest == 0 ? 0 : EncodedLength((int)rest).Max);
    }

    /// <summary>Encodes a block of finite values; returns the bytes written.</summary>
    /// <param name="values">1 or more finite values.</param>
    /// <param name="destination">At least the largest legal length.</param>
    int Encode(ReadOnlySpan<float> values, Span<byte> destination);

    /// <summary>Encodes a block, rounding at random where the codec does. Default: there is no chance in it.</summary>
    /// <param name="values">1 or more finite values.</param>
    /// <param name="destination">At least the largest legal length.</param>
    /// <param name="chance">A seed of this block's own; the same seed gives the same bytes.</param>
    int Encode(ReadOnlySpan<float> values, Span<byte> destination, long chance) => Encode(values, destination);

    /// <summary>
    /// Decodes a block. False for bytes that are not a legal block of <paramref name="destination"/>.Length values (wrong
    /// length, a scale that is not finite or negative, …) or that decode to a value that is not finite; the destination's
    /// content is then undefined.
    /// </summary>
    bool TryDecode(ReadOnlySpan<byte> block, Span<float> destination);

    /// <summary>
    /// This codec as it reads and writes one block of an update: a mask differs from block to block. Default: the same for all blocks.
    /// </summary>
    /// <param name="block">Index of the block among those of the parameters, from 0.</param>
    IUpdateCodec ForBlock(int block) => this;
}
