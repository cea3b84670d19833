using System.Buffers.Binary;

namespace FedServerless.Compression;

/// <param name="AtRandom">True to round stochastically. The bytes do not tell.</param>
internal sealed record Int8Codec(bool AtRandom = false) : IUpdateCodec
{
    private const int ScaleBytes = 4;
    private const float MaxLevel = 127f;
    private const byte RefusedLevel = 0x80;

    public string Name => UpdateCodecs.Int8;

    public byte Id => 3;

    public (int Min, int Max) EncodedLength(int coordinates) => (ScaleBytes + coordinates, ScaleBytes + coordinates);

    public int Encode(ReadOnlySpan<float> values, Span<byte> destination) => Encode(values, destination, 0);

    public int Encode(ReadOnlySpan<float> values, Span<byte> destination, long chance)
    {
        var scale = LevelScale.Of(LevelKernels.MaxMagnitude(values), MaxLevel);
        BinaryPrimitives.WriteSingleLittleEndian(destination, scale);
        var levels = destination.Slice(ScaleBytes, values.Length);
        if (scale == 0)
        {
            levels.Clear();
        }
        else if (AtRandom)
        {
            LevelKernels.QuantizeAtRandom(values, scale, MaxLevel, new Lots(chance), levels);
        }
        else
        {
            LevelKernels.Quantize(values, scale, MaxLevel, levels);
        }

        return ScaleBytes + values.Length;
    }

    public bool TryDecode(ReadOnlySpan<byte> block, Span<float> destination)
    {
        if (block.Length != (long)ScaleBytes + destination.Length)
        {
            return false;
        }

        // One bound for the block instead of a look at every product.
        var scale = BinaryPrimitives.ReadSingleLittleEndian(block);
        var levels = block[ScaleBytes..];
        if (!LevelScale.IsLegal(scale, MaxLevel) || levels.Contains(RefusedLevel))
        {
            return false;
        }

        LevelKernels.Dequantize(levels, scale, destination);
        return true;
    }
}
