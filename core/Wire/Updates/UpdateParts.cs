using System.Collections;

namespace FedServerless.Wire.Updates;

/// <summary>One part of a payload: whole blocks, an object of its own in the store.</summary>
/// <param name="Index">From 0.</param>
/// <param name="Offset">Where it begins in the payload, in bytes.</param>
/// <param name="Length">Bytes.</param>
/// <param name="FirstBlock">Its first block.</param>
/// <param name="BlockCount">Its blocks, 1 or more.</param>
public readonly record struct UpdatePart(int Index, long Offset, int Length, int FirstBlock, int BlockCount);

/// <summary>A read of consecutive blocks within one part.</summary>
/// <param name="Part">Index of the part.</param>
/// <param name="Offset">Where to begin in that part, in bytes.</param>
/// <param name="Length">Bytes to read.</param>
/// <param name="FirstBlock">The first block read.</param>
/// <param name="BlockCount">Blocks read, 1 or more.</param>
public readonly record struct UpdatePartRead(int Part, int Offset, int Length, int FirstBlock, int BlockCount);

/// <summary>
/// How a payload is cut for upload: each part takes as many whole blocks as fit into the plan's part size, and at least one. Every reader and
/// writer derives the same parts from the header.
/// </summary>
public sealed class UpdateParts : IReadOnlyList<UpdatePart>
{
    private readonly UpdateHeader _header;
    private readonly UpdatePart[] _parts;

    private UpdateParts(UpdateHeader header, UpdatePart[] parts)
    {
        _header = header;
        _parts = parts;
    }

    /// <inheritdoc/>
    public int Count => _parts.Length;

    /// <inheritdoc/>
    public UpdatePart this[int index] => _parts[index];

    /// <summary>Cuts a payload.</summary>
    /// <param name="header">The update's header.</param>
    /// <param name="partBytes">The plan's part size, <see cref="UpdateFormat.MinPartBytes"/> to <see cref="UpdateFormat.MaxPartBytes"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">The part size is out of range.</exception>
    public static UpdateParts Cut(UpdateHeader header, int partBytes)
    {
        ArgumentNullException.ThrowIfNull(header);
        CheckPartBytes(partBytes);
        var parts = new List<UpdatePart>();
        for (var first = 0; first < header.Shape.BlockCount;)
        {
            var next = first + 1;
            while (next < header.Shape.BlockCount && header.BlockEnd(next) - header.BlockOffset(first) <= partBytes)
            {
                next++;
            }

            var offset = header.BlockOffset(first);
            parts.Add(new UpdatePart(parts.Count, offset, (int)(header.BlockEnd(next - 1) - offset), first, next - first));
            first = next;
        }

        return new UpdateParts(header, [.. parts]);
    }

    /// <summary>The reads that fetch consecutive blocks, in order: one per part that holds any of them.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The blocks are none or leave the payload.</exception>
    public IReadOnlyList<UpdatePartRead> Reads(int firstBlock, int blockCount)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(firstBlock);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(blockCount);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(blockCount, _header.Shape.BlockCount - firstBlock);
        var reads = new List<UpdatePartRead>();
        var end = firstBlock + blockCount;
        for (var part = PartOf(firstBlock); part < _parts.Length && _parts[part].FirstBlock < end; part++)
        {
            var first = Math.Max(firstBlock, _parts[part].FirstBlock);
            var last = Math.Min(end, _parts[part].FirstBlock + _parts[part].BlockCount) - 1;
            var start = _header.BlockOffset(first);
            reads.Add(new UpdatePartRead(
                part, (int)(start - _parts[part].Offset), (int)(_header.BlockEnd(last) - start), first, last - first + 1));
        }

        return reads;
    }

    /// <inheritdoc/>
    public IEnumerator<UpdatePart> GetEnumerator() => _parts.AsEnumerable().GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>Most parts of a legal payload: those of the longest blocks, since shorter ones never need more, within the payload's bound.</summary>
    internal static int MostOf(UpdateShape shape, int partBytes)
    {
        CheckPartBytes(partBytes);
        var parts = 0;
        long filled = partBytes;
        for (var block = 0; block < shape.BlockCount; block++)
        {
            var length = shape.BlockLengthBounds(block).Max;
            filled += length;
            if (filled > partBytes)
            {
                parts++;
                filled = length;
            }
        }

        // Two parts that follow each other hold more than one part may, or they would be one.
        return (int)Math.Min(parts, (2 * (shape.MaxPayloadLength / partBytes)) + 1);
    }

    private static void CheckPartBytes(int partBytes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(partBytes, UpdateFormat.MinPartBytes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(partBytes, UpdateFormat.MaxPartBytes);
    }

    private int PartOf(int block)
    {
        int low = 0, high = _parts.Length - 1;
        while (low < high)
        {
            var middle = (low + high + 1) / 2;
            (low, high) = _parts[middle].FirstBlock <= block ? (middle, high) : (low, middle - 1);
        }

        return low;
    }
}
