namespace FedServerless.Compression;

internal sealed record Float16Codec : IUpdateCodec
{
    public string Name => UpdateCodecs.Float16;

    public byte Id => 2;

    public (int Min, int Max) EncodedLength(int coordinates) => (2 * coordinates, 2 * coordinates);

    public int Encode(ReadOnlySpan<float> values, Span<byte> destination)
    {
        Float16Kernels.Narrow(values, destination[..(2 * values.Length)]);
        return 2 * values.Length;
    }

    public bool TryDecode(ReadOnlySpan<byte> block, Span<float> destination) =>
        block.Length == 2L * destination.Length && Float16Kernels.TryWiden(block, destination);
}
