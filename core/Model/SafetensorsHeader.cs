using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;

namespace FedServerless.Model;

/// <summary>
/// The checked header of a safetensors file with float32 and int64 tensors: names, shapes, roles, and where each value is.
/// Immutable. The format: 8 bytes little-endian length, that many bytes of JSON, the tensors' bytes without holes.
/// </summary>
public sealed class SafetensorsHeader
{
    /// <summary>Bytes before the JSON.</summary>
    public const int LengthBytes = 8;

    /// <summary>Longest header read, length field included: 16 MiB (the format itself allows 100 MB).</summary>
    public const int MaxLength = 16 << 20;

    /// <summary>Most metadata entries besides the tensors' roles.</summary>
    public const int MaxMetadataEntries = 1024;

    /// <summary>Most bytes that reading a header allocates for each of its bytes, beside <see cref="MaxAllocationBeside"/>.</summary>
    public const int MaxAllocationPerByte = 32;

    /// <summary>Most bytes that reading a header allocates whatever its length.</summary>
    public const int MaxAllocationBeside = 64 << 10;

    private readonly FileSegment[] _floats;
    private readonly FileSegment[] _integers;

    internal SafetensorsHeader(TensorLayout layout, IReadOnlyDictionary<string, string> metadata, long[] fileOffsets, int length, long fileLength)
    {
        Layout = layout;
        Metadata = metadata;
        FileOffsets = fileOffsets;
        Length = length;
        FileLength = fileLength;
        _floats = Merge(layout, fileOffsets, integers: false);
        _integers = Merge(layout, fileOffsets, integers: true);
    }

    /// <summary>Names, shapes and roles. Within a role, tensors are in the order of their bytes in the file.</summary>
    public TensorLayout Layout { get; }

    /// <summary>The file's metadata without the tensors' roles.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Where each tensor of <see cref="Layout"/> begins in the file, in bytes.</summary>
    public IReadOnlyList<long> FileOffsets { get; }

    /// <summary>Length of the header in bytes, length field included: where the tensors' bytes begin.</summary>
    public int Length { get; }

    /// <summary>Length of the whole file, in bytes.</summary>
    public long FileLength { get; }

    /// <summary>
    /// True when the flat float32 vector is one range of the file, as in every file that <see cref="CanonicalModelFile"/> describes.
    /// </summary>
    public bool IsContiguous => _floats.Length <= 1;

    /// <summary>
    /// Reads the length of a header, length field included, from the file's first 8 bytes, so that a reader knows how much to fetch.
    /// </summary>
    /// <param name="start">At least the first 8 bytes of the file.</param>
    /// <param name="fileLength">Length of the whole file, in bytes.</param>
    /// <param name="length">The header's length, at most <see cref="MaxLength"/> and <paramref name="fileLength"/>.</param>
    /// <param name="problem">What is wrong and what would be right, or null.</param>
    public static bool TryReadLength(ReadOnlySpan<byte> start, long fileLength, out int length, [NotNullWhen(false)] out string? problem)
    {
        length = 0;
        if (start.Length < LengthBytes || fileLength < LengthBytes)
        {
            problem = $"The file has {Math.Min(start.Length, fileLength)} bytes; a safetensors file has at least {LengthBytes}.";
            return false;
        }

        var json = BinaryPrimitives.ReadUInt64LittleEndian(start);
        if (json is < 2 or > MaxLength - LengthBytes || (long)json > fileLength - LengthBytes)
        {
            problem = $"The safetensors header claims {json} bytes in a file of {fileLength}; expected 2 to {MaxLength - LengthBytes}, within the file.";
            return false;
        }

        length = LengthBytes + (int)json;
        problem = null;
        return true;
    }

    /// <summary>
    /// Reads a header from outside. Every number is checked before it is used; what is allocated is bounded by the header's own
    /// length, whatever it says: <see cref="MaxAllocationPerByte"/> for each byte and <see cref="MaxAllocationBeside"/>.
    /// </summary>
    /// <param name="bytes">The file's beginning: the whole header at least.</param>
    /// <param name="fileLength">Length of the whole file, in bytes.</param>
    /// <param name="header">The header, or null.</param>
    /// <param name="problem">What is wrong and what would be right, or null.</param>
    public static bool TryParse(
        ReadOnlySpan<byte> bytes,
        long fileLength,
        [NotNullWhen(true)] out SafetensorsHeader? header,
        [NotNullWhen(false)] out string? problem)
    {
        header = null;
        if (!TryReadLength(bytes, fileLength, out var length, out problem))
        {
            return false;
        }

        if (bytes.Length < length)
        {
            problem = $"The safetensors header has {length} bytes, of which {bytes.Length} are here.";
            return false;
        }

        var parser = new SafetensorsHeaderParser(length, fileLength);
        header = parser.Parse(bytes[LengthBytes..length]);
        problem = header is null ? parser.Problem : null;
        return header is not null;
    }

    /// <summary>
    /// Where the flat float32 range [<paramref name="start"/>, <paramref name="start"/> + <paramref name="count"/>) is in the file,
    /// in order, as few segments as possible: one when <see cref="IsContiguous"/>.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The range leaves the vector.</exception>
    public IReadOnlyList<FileSegment> FloatSegments(long start, long count) => Cut(_floats, Layout.FloatCount, sizeof(float), start, count);

    /// <summary>As <see cref="FloatSegments"/>, for the int64 vector.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The range leaves the vector.</exception>
    public IReadOnlyList<FileSegment> IntegerSegments(long start, long count) => Cut(_integers, Layout.IntegerCount, sizeof(long), start, count);

    private static FileSegment[] Merge(TensorLayout layout, long[] fileOffsets, bool integers)
    {
        var size = integers ? sizeof(long) : sizeof(float);
        var merged = new List<FileSegment>();
        for (var i = 0; i < layout.Tensors.Count; i++)
        {
            var tensor = layout.Tensors[i];
            if (tensor.Role == TensorRole.Integer != integers)
            {
                continue;
            }

            if (merged.Count > 0 && merged[^1] is var last && last.FileOffset + (size * last.Count) == fileOffsets[i])
            {
                merged[^1] = last with { Count = last.Count + tensor.Length };
            }
            else
            {
                merged.Add(new FileSegment(fileOffsets[i], layout.Offsets[i], tensor.Length));
            }
        }

        return [.. merged];
    }

    private static List<FileSegment> Cut(FileSegment[] segments, long total, int size, long start, long count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, total - start);
        var cut = new List<FileSegment>();
        foreach (var segment in segments)
        {
            var first = Math.Max(start, segment.Start);
            var end = Math.Min(start + count, segment.Start + segment.Count);
            if (first < end)
            {
                cut.Add(new FileSegment(segment.FileOffset + (size * (first - segment.Start)), first, end - first));
            }
        }

        return cut;
    }
}
