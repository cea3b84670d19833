using FedServerless.Compression;

namespace FedServerless.Core.Tests.Compression;

/// <summary>A codec that only has a name, an id and lengths.</summary>
internal sealed class NamedCodec(string name, byte id, int bytesPerValue) : IUpdateCodec
{
    public string Name => name;

    public byte Id => id;

    public (int Min, int Max) EncodedLength(int coordinates) => (1, bytesPerValue * coordinates);

    public int Encode(ReadOnlySpan<float> values, Span<byte> destination) => throw new NotSupportedException();

    public bool TryDecode(ReadOnlySpan<byte> block, Span<float> destination) => throw new NotSupportedException();
}
