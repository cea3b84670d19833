using System.Buffers.Binary;
using System.Security.Cryptography;

namespace FedServerless.Wire.Updates;

/// <summary>Where the fields of a header are, for the one place that writes them and the one that checks them.</summary>
internal static class UpdateHeaderLayout
{
    private const int VersionAt = 4;
    private const int CodecAt = 6;
    private const int FlagsAt = 7;
    private const int LayoutAt = 8;
    private const int BaseAt = 40;
    private const int BlockCoordinatesAt = 72;
    private const int ParametersAt = 76;
    private const int BuffersAt = 84;
    private const int IntegersAt = 92;
    private const int BlockCountAt = 100;

    private static ReadOnlySpan<byte> Magic => "FSU1"u8;

    public static int BlockLength(ReadOnlySpan<byte> header, int block) =>
        (int)BinaryPrimitives.ReadUInt32LittleEndian(header[EntryAt(block)..]);

    public static ReadOnlySpan<byte> BlockHash(ReadOnlySpan<byte> header, int block) =>
        header.Slice(EntryAt(block) + sizeof(uint), UpdateFormat.BlockHashBytes);

    public static Digest BaseDigestOf(ReadOnlySpan<byte> header) =>
        header.Length >= BaseAt + Digest.Size ? Digest.FromBytes(header.Slice(BaseAt, Digest.Size)) : default;

    public static void WriteFixed(Span<byte> header, UpdateShape shape, Digest baseDigest)
    {
        Magic.CopyTo(header);
        BinaryPrimitives.WriteUInt16LittleEndian(header[VersionAt..], UpdateFormat.Version);
        header[CodecAt] = shape.Codec.Id;
        header[FlagsAt] = 0;
        shape.Layout.Digest.AsSpan().CopyTo(header[LayoutAt..]);
        baseDigest.AsSpan().CopyTo(header[BaseAt..]);
        BinaryPrimitives.WriteUInt32LittleEndian(header[BlockCoordinatesAt..], (uint)shape.BlockCoordinates);
        BinaryPrimitives.WriteUInt64LittleEndian(header[ParametersAt..], (ulong)shape.Layout.ParameterCount);
        BinaryPrimitives.WriteUInt64LittleEndian(header[BuffersAt..], (ulong)shape.Layout.BufferCount);
        BinaryPrimitives.WriteUInt64LittleEndian(header[IntegersAt..], (ulong)shape.Layout.IntegerCount);
        BinaryPrimitives.WriteUInt32LittleEndian(header[BlockCountAt..], (uint)shape.BlockCount);
    }

    public static void WriteBlock(Span<byte> header, int block, ReadOnlySpan<byte> bytes)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(bytes, hash);
        BinaryPrimitives.WriteUInt32LittleEndian(header[EntryAt(block)..], (uint)bytes.Length);
        hash[..UpdateFormat.BlockHashBytes].CopyTo(header[(EntryAt(block) + sizeof(uint))..]);
    }

    /// <summary>The first thing wrong with a header, or null. Version before length, so that a newer header is named as such.</summary>
    public static string? Check(ReadOnlySpan<byte> header, UpdateShape shape, Digest baseDigest)
    {
        if (header.Length < UpdateFormat.FixedHeaderBytes || !header.StartsWith(Magic))
        {
            return $"The update's header has {header.Length} bytes or does not begin with 'FSU1'; expected an update header of {shape.HeaderLength} bytes.";
        }

        var version = BinaryPrimitives.ReadUInt16LittleEndian(header[VersionAt..]);
        if (version != UpdateFormat.Version)
        {
            return version > UpdateFormat.Version
                ? $"The update has format version {version}; this server reads up to {UpdateFormat.Version}. Upgrade the server first."
                : $"The update has format version {version}; expected {UpdateFormat.Version}.";
        }

        return CheckFixed(header, shape, baseDigest)
            ?? (header.Length == shape.HeaderLength
                ? CheckBlocks(header, shape)
                : $"The update's header has {header.Length} bytes; expected {shape.HeaderLength}, for {shape.BlockCount} blocks.");
    }

    private static string? CheckFixed(ReadOnlySpan<byte> header, UpdateShape shape, Digest baseDigest)
    {
        if (header[CodecAt] != shape.Codec.Id)
        {
            return $"The update's codec id is {header[CodecAt]}; expected {shape.Codec.Id}, {shape.Codec.Name}.";
        }

        if (header[FlagsAt] != 0)
        {
            return $"The update's flags are {header[FlagsAt]}; expected 0.";
        }

        var layout = Digest.FromBytes(header.Slice(LayoutAt, Digest.Size));
        if (layout != shape.Layout.Digest)
        {
            return $"The update is for the tensor layout {layout}; expected {shape.Layout.Digest}.";
        }

        var start = Digest.FromBytes(header.Slice(BaseAt, Digest.Size));
        if (start != baseDigest)
        {
            return $"The update is against the artifact {start}; this round started from {baseDigest}.";
        }

        return CheckNumber(header, BlockCoordinatesAt, sizeof(uint), shape.BlockCoordinates, "coordinates a block")
            ?? CheckNumber(header, ParametersAt, sizeof(ulong), shape.Layout.ParameterCount, "parameters")
            ?? CheckNumber(header, BuffersAt, sizeof(ulong), shape.Layout.BufferCount, "buffer values")
            ?? CheckNumber(header, IntegersAt, sizeof(ulong), shape.Layout.IntegerCount, "integers")
            ?? CheckNumber(header, BlockCountAt, sizeof(uint), shape.BlockCount, "blocks");
    }

    private static string? CheckNumber(ReadOnlySpan<byte> header, int at, int size, long expected, string what)
    {
        var value = size == sizeof(uint)
            ? BinaryPrimitives.ReadUInt32LittleEndian(header[at..])
            : BinaryPrimitives.ReadUInt64LittleEndian(header[at..]);
        return value == (ulong)expected ? null : $"The update has {value} {what}; expected {expected}.";
    }

    private static string? CheckBlocks(ReadOnlySpan<byte> header, UpdateShape shape)
    {
        var total = 0L;
        for (var block = 0; block < shape.BlockCount; block++)
        {
            var length = BinaryPrimitives.ReadUInt32LittleEndian(header[EntryAt(block)..]);
            var (min, max) = shape.BlockLengthBounds(block);
            if (length < min || length > max)
            {
                return $"Block {block} of the update has {length} bytes; expected {(min == max ? $"{min}" : $"{min} to {max}")}.";
            }

            total += length;
        }

        return total <= shape.MaxPayloadLength
            ? null
            : $"The blocks of the update have {total} bytes together; expected at most {shape.MaxPayloadLength} in codec {shape.Codec.Name}.";
    }

    private static int EntryAt(int block) => UpdateFormat.FixedHeaderBytes + (block * UpdateFormat.HeaderBytesPerBlock);
}
