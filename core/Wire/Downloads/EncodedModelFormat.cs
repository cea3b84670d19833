using System.Buffers.Binary;
using FedServerless.Compression;
using FedServerless.Model;

namespace FedServerless.Wire.Downloads;

/// <summary>The fields of an encoded model's beginning; docs/concepts/downlink.md has the table.</summary>
internal readonly record struct EncodedModelPrelude(byte CodecId, bool Half, int BlockCoordinates, int HeaderLength, long ModelLength, Digest Start)
{
    /// <summary>Length, in bytes.</summary>
    public const int Size = 24 + Digest.Size;

    private const ushort Version = 1;

    private static ReadOnlySpan<byte> Magic => "FSD1"u8;

    public byte[] ToBytes()
    {
        var bytes = new byte[Size];
        Magic.CopyTo(bytes);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(4), Version);
        bytes[6] = CodecId;
        bytes[7] = Half ? (byte)1 : (byte)0;
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(8), (uint)BlockCoordinates);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(12), (uint)HeaderLength);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(16), (ulong)ModelLength);
        Start.AsSpan().CopyTo(bytes.AsSpan(24));
        return bytes;
    }

    /// <exception cref="InvalidDataException">The bytes are no such beginning.</exception>
    public static EncodedModelPrelude Parse(ReadOnlySpan<byte> bytes, long length)
    {
        if (bytes.Length < Size || !bytes.StartsWith(Magic))
        {
            throw new InvalidDataException("It does not begin with 'FSD1'.");
        }

        var version = BinaryPrimitives.ReadUInt16LittleEndian(bytes[4..]);
        if (version != Version)
        {
            throw new InvalidDataException($"It has format version {version}; expected {Version}.");
        }

        var header = BinaryPrimitives.ReadUInt32LittleEndian(bytes[12..]);
        if (bytes[7] > 1 || header > SafetensorsHeader.MaxLength || header > length - Size)
        {
            throw new InvalidDataException($"Its flags are {bytes[7]} and its model header has {header} bytes; expected 0 or 1, and at most {SafetensorsHeader.MaxLength} within the file.");
        }

        var block = BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..]);
        var model = BinaryPrimitives.ReadUInt64LittleEndian(bytes[16..]);
        return new EncodedModelPrelude(
            bytes[6], bytes[7] == 1, (int)Math.Min(block, int.MaxValue), (int)header, (long)Math.Min(model, long.MaxValue), Digest.FromBytes(bytes.Slice(24, Digest.Size)));
    }
}

/// <summary>What both ends do to one block of parameters.</summary>
internal static class EncodedModelBlocks
{
    /// <summary>
    /// <c>result[i] = start[i] + decoded[i]</c>, then, where asked, to the nearest binary16 (ties to even, magnitudes above 65504 to
    /// 65504). No start stands for zeros. <paramref name="result"/> may be the memory of <paramref name="decoded"/> or of the start.
    /// </summary>
    public static void Reconstruct(ReadOnlySpan<float> start, ReadOnlySpan<float> decoded, bool half, Span<float> result)
    {
        if (start.IsEmpty)
        {
            decoded.CopyTo(result);
        }
        else
        {
            for (var i = 0; i < result.Length; i++)
            {
                result[i] = start[i] + decoded[i];
            }
        }

        if (half)
        {
            var codec = UpdateCodecs.All.Get(UpdateCodecs.Float16);
            var bytes = new byte[codec.EncodedLength(result.Length).Max];
            if (!codec.TryDecode(bytes.AsSpan(0, codec.Encode(result, bytes)), result))
            {
                throw new InvalidOperationException("A block cannot be rounded to binary16.");
            }
        }
    }
}
