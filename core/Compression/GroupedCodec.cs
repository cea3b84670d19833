using System.Buffers.Binary;

namespace FedServerless.Compression;

/// <summary>
/// Few levels and many scales: a block is a float32 scale for each group of <see cref="Group"/> values, then the groups' packed
/// levels. With so few levels one scale for a whole block would leave all but the largest values zero.
/// </summary>
/// <param name="Limit">The largest level.</param>
internal abstract record GroupedCodec(float Limit) : IUpdateCodec
{
    /// <summary>Values a scale: a multiple of every packing, so that each group begins at a byte.</summary>
    public const int Group = 1280;

    public abstract string Name { get; }

    public abstract byte Id { get; }

    public (int Min, int Max) EncodedLength(int coordinates)
    {
        var length = (sizeof(float) * Groups(coordinates)) + PackedLength(coordinates);
        return (length, length);
    }

    public int Encode(ReadOnlySpan<float> values, Span<byte> destination) => Encode(values, destination, 0);

    public int Encode(ReadOnlySpan<float> values, Span<byte> destination, long chance)
    {
        var packed = destination[(sizeof(float) * Groups(values.Length))..];
        for (var first = 0; first < values.Length; first += Group)
        {
            var group = values.Slice(first, Math.Min(Group, values.Length - first));
            var scale = Encode(group, new Lots(chance, first), packed[PackedLength(first)..]);
            BinaryPrimitives.WriteSingleLittleEndian(destination[(sizeof(float) * (first / Group))..], scale);
        }

        return EncodedLength(values.Length).Max;
    }

    public bool TryDecode(ReadOnlySpan<byte> block, Span<float> destination)
    {
        if (block.Length != EncodedLength(destination.Length).Max)
        {
            return false;
        }

        var packed = block[(sizeof(float) * Groups(destination.Length))..];
        for (var first = 0; first < destination.Length; first += Group)
        {
            var group = destination.Slice(first, Math.Min(Group, destination.Length - first));
            var scale = BinaryPrimitives.ReadSingleLittleEndian(block[(sizeof(float) * (first / Group))..]);
            if (!LevelScale.IsLegal(scale, Limit) || !TryDecode(packed.Slice(PackedLength(first), PackedLength(group.Length)), scale, group))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Bytes of a number of packed levels.</summary>
    protected abstract int PackedLength(int coordinates);

    /// <summary>Packs one group and returns its scale.</summary>
    protected abstract float Encode(ReadOnlySpan<float> group, Lots lots, Span<byte> packed);

    /// <summary>Unpacks one group; false for what a legal encoder does not write.</summary>
    protected abstract bool TryDecode(ReadOnlySpan<byte> packed, float scale, Span<float> group);

    /// <summary>Levels of a group and their scale, max|x| over the limit.</summary>
    protected float Quantize(ReadOnlySpan<float> group, Lots lots, bool atRandom, Span<byte> levels)
    {
        var scale = LevelScale.Of(LevelKernels.MaxMagnitude(group), Limit);
        if (scale == 0)
        {
            levels.Clear();
        }
        else if (atRandom)
        {
            LevelKernels.QuantizeAtRandom(group, scale, Limit, lots, levels);
        }
        else
        {
            LevelKernels.Quantize(group, scale, Limit, levels);
        }

        return scale;
    }

    private static int Groups(int coordinates) => (coordinates + Group - 1) / Group;
}
