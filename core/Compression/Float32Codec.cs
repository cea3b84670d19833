using FedServerless.Numerics;

namespace FedServerless.Compression;

internal sealed record Float32Codec : IUpdateCodec
{
    public string Name => UpdateCodecs.Float32;

    public byte Id => 1;

    public (int Min, int Max) EncodedLength(int coordinates) => (4 * coordinates, 4 * coordinates);

    public int Encode(ReadOnlySpan<float> values, Span<byte> destination)
    {
        LittleEndian.Write(values, destination);
        return 4 * values.Length;
    }

    public bool TryDecode(ReadOnlySpan<byte> block, Span<float> destination)
    {
        if (block.Length != 4L * destination.Length)
        {
            return false;
        }

        LittleEndian.Read(block, destination);
        return FiniteValues.All(destination);
    }
}
