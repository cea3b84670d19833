using System.Buffers.Binary;

namespace FedServerless.Compression;

internal sealed class Int8Codec : IUpdateCodec
{
    private const int ScaleBytes = 4;
    private const float MaxLevel = 127f;
    private const byte RefusedLevel = 0x80;

    public string Name => UpdateCodecs.Int8;

    public byte Id => 3;

    public (int Min, int Max) EncodedLength(int coordinates) => (ScaleBytes + coordinates, ScaleBytes + coordinates);

    public int Encode(ReadOnlySpan<float> values, Span<byte> destination)
    {
        var scale = Int8Kernels.MaxMagnitude(values) / MaxLevel;
        if (float.IsInfinity(scale * MaxLevel))
        {
            // Only for magnitudes within 127 half steps of float.MaxValue, where the quotient may have been rounded up.
            scale = MathF.BitDecrement(scale);
        }

        BinaryPrimitives.WriteSingleLittleEndian(destination, scale);
        var levels = destination.Slice(ScaleBytes, values.Length);
        if (scale == 0)
        {
            // All zeros, or so small (below 127 · 2⁻¹⁵⁰) that the scale underflows.
            levels.Clear();
        }
        else
        {
            Int8Kernels.Quantize(values, scale, levels);
        }

        return ScaleBytes + values.Length;
    }

    public bool TryDecode(ReadOnlySpan<byte> block, Span<float> destination)
    {
        if (block.Length != (long)ScaleBytes + destination.Length)
        {
            return false;
        }

        var scale = BinaryPrimitives.ReadSingleLittleEndian(block);
        var levels = block[ScaleBytes..];

        // One bound for the block instead of a look at every product. −0 is refused too: a legal encoder never writes it,
        // and one value should have one encoding.
        if (!float.IsFinite(scale * MaxLevel) || scale < 0 || float.IsNegative(scale) || levels.Contains(RefusedLevel))
        {
            return false;
        }

        Int8Kernels.Dequantize(levels, scale, destination);
        return true;
    }
}
