using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using FedServerless.Numerics;
using FedServerless.Wire;

namespace FedServerless.Client.State;

/// <summary>
/// One file of vectors, written whole or not at all: <c>FSS1</c>, <c>u16</c> version, <c>u16</c> vectors, the SHA-256 of all that
/// follows, layout digest, <c>u64</c> values a vector, <c>u8</c> updates refused in a row, model, kind and run (<c>u8</c> length,
/// ASCII; a run of length 0 when settled), <c>i32</c> round, header digest, then the vectors, <c>f32</c>. Little endian.
/// </summary>
internal static class SettlingFile
{
    /// <summary>Version of the format.</summary>
    public const byte Version = 1;

    private const int ChecksumAt = 8;
    private const int BodyAt = ChecksumAt + Digest.Size;
    private const int ChunkValues = 64 * 1024;
    private const int MaxHeaderBytes = 512;

    private static ReadOnlySpan<byte> Magic => "FSS1"u8;

    /// <summary>What is in the file, all of it verified; null where there is none.</summary>
    /// <exception cref="InvalidDataException">It is torn, damaged, of a newer SDK, or belongs to something else.</exception>
    public static SettlingContent? Open(string path, SettlingKey key)
    {
        if (!File.Exists(path))
        {
            return null;
        }

        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        var header = new byte[(int)Math.Min(MaxHeaderBytes, file.Length)];
        file.ReadExactly(header);
        if (header.Length < BodyAt || !header.AsSpan(0, 4).SequenceEqual(Magic))
        {
            throw new InvalidDataException("it is not a file of this kind");
        }

        var version = BinaryPrimitives.ReadUInt16LittleEndian(header.AsSpan(4));
        if (version != Version)
        {
            throw new InvalidDataException($"it has format {version}, this SDK reads {Version}");
        }

        file.Position = BodyAt;
        if (!SHA256.HashData(file).AsSpan().SequenceEqual(header.AsSpan(ChecksumAt, Digest.Size)))
        {
            throw new InvalidDataException("its checksum is wrong");
        }

        return Parse(header, file.Length, key);
    }

    /// <summary>Reads one of the vectors of a file that <see cref="Open"/> has verified.</summary>
    public static float[] Read(string path, SettlingContent content, int vector)
    {
        var count = content.Count;
        var values = new float[count];
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        file.Position = content.VectorsAt + ((long)vector * count * sizeof(float));
        for (var start = 0; start < count; start += ChunkValues)
        {
            file.ReadExactly(MemoryMarshal.AsBytes(values.AsSpan(start, Math.Min(ChunkValues, count - start))));
        }

        LittleEndian.FromStored(values);
        return values;
    }

    /// <summary>Writes a file next to <paramref name="path"/>, flushed; giving it its name is the caller's.</summary>
    /// <returns>Where it is.</returns>
    public static string Prepare(string path, SettlingKey key, PendingReceipt? pending, byte refused, params ReadOnlySpan<ReadOnlyMemory<float>> vectors)
    {
        var values = vectors[0].Length;
        var temporary = path + StateFolder.TemporarySuffix;
        using var file = new FileStream(temporary, StateFolder.Private(FileMode.Create, FileShare.None));
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        file.Write(Magic);
        file.Write([Version, 0, (byte)vectors.Length, 0]);
        file.Write(new byte[Digest.Size]);
        Append(Header(key, values, refused, pending));
        var chunk = new byte[Math.Min(ChunkValues, values) * sizeof(float)];
        foreach (var vector in vectors)
        {
            for (var start = 0; start < values; start += ChunkValues)
            {
                var count = Math.Min(ChunkValues, values - start);
                LittleEndian.Write(vector.Span.Slice(start, count), chunk);
                Append(chunk.AsSpan(0, count * sizeof(float)));
            }
        }

        file.Position = ChecksumAt;
        file.Write(hash.GetHashAndReset());
        file.Flush(flushToDisk: true);
        return temporary;

        void Append(ReadOnlySpan<byte> bytes)
        {
            file.Write(bytes);
            hash.AppendData(bytes);
        }
    }

    private static byte[] Header(SettlingKey key, int values, byte refused, PendingReceipt? pending)
    {
        using var header = new MemoryStream();
        using var writer = new BinaryWriter(header, Encoding.ASCII);
        writer.Write(key.Layout.AsSpan());
        writer.Write((long)values);
        writer.Write(refused);
        foreach (var name in new[] { key.Model, key.Kind, pending?.Run ?? "" })
        {
            writer.Write((byte)name.Length);
            writer.Write(Encoding.ASCII.GetBytes(name));
        }

        writer.Write(pending?.Round ?? 0);
        writer.Write((pending?.HeaderDigest ?? default).AsSpan());
        return header.ToArray();
    }

    private static SettlingContent Parse(ReadOnlySpan<byte> header, long length, SettlingKey key)
    {
        var vectors = BinaryPrimitives.ReadUInt16LittleEndian(header[6..]);
        var rest = header[BodyAt..];
        var layout = Digest.FromBytes(Take(ref rest, Digest.Size));
        var count = BinaryPrimitives.ReadInt64LittleEndian(Take(ref rest, sizeof(long)));
        var refused = Take(ref rest, 1)[0];
        var model = Name(ref rest);
        var kind = Name(ref rest);
        var run = Name(ref rest);
        var round = BinaryPrimitives.ReadInt32LittleEndian(Take(ref rest, sizeof(int)));
        var digest = Digest.FromBytes(Take(ref rest, Digest.Size));
        if (model != key.Model || kind != key.Kind)
        {
            throw new InvalidDataException($"it is the {kind} of model '{model}'");
        }

        if (layout != key.Layout)
        {
            throw new InvalidDataException("it belongs to a model of another tensor layout, or to other rounds");
        }

        var start = header.Length - rest.Length;
        return vectors is >= 1 and <= 3 && count is >= 0 and <= int.MaxValue && length == start + (vectors * count * sizeof(float))
            ? new SettlingContent(run.Length == 0 ? null : new PendingReceipt(run, round, digest), vectors, refused, (int)count, start)
            : throw new InvalidDataException($"it has {length} bytes, {vectors} vectors of {count} values need {start + (vectors * count * sizeof(float))}");
    }

    private static string Name(ref ReadOnlySpan<byte> rest) => Encoding.ASCII.GetString(Take(ref rest, Take(ref rest, 1)[0]));

    private static ReadOnlySpan<byte> Take(ref ReadOnlySpan<byte> rest, int count)
    {
        if (rest.Length < count)
        {
            throw new InvalidDataException("it ends in its header");
        }

        var taken = rest[..count];
        rest = rest[count..];
        return taken;
    }
}

/// <summary>What a verified file holds.</summary>
/// <param name="Pending">The update that decides; null when the one vector simply holds.</param>
/// <param name="Vectors">Vectors in it: before, then after, then otherwise.</param>
/// <param name="Refused">Updates in a row that were refused.</param>
/// <param name="Count">Values of each.</param>
/// <param name="VectorsAt">Where the first begins.</param>
internal sealed record SettlingContent(PendingReceipt? Pending, int Vectors, byte Refused, int Count, long VectorsAt);
