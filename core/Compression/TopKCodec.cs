using System.Buffers.Binary;
using FedServerless.Wire.Updates;

namespace FedServerless.Compression;

/// <summary>
/// The largest deltas of the whole update, by magnitude, and where they stand: Aji and Heafield 2017 (arXiv:1704.05021), with one
/// threshold for all parameters. A block is: <c>u32</c> its count and, in the upper eight bits, the r of <see cref="GapCoding"/>; the
/// values as another codec writes them; their places. Nothing follows a count of 0.
/// </summary>
/// <param name="Name">The name in specs.</param>
/// <param name="Id">The id in headers.</param>
/// <param name="Values">How the values are written.</param>
/// <param name="Keep">Share kept, above 0, at most 1.</param>
internal sealed record TopKCodec(string Name, byte Id, IUpdateCodec Values, double Keep) : ISparseUpdateCodec
{
    private const int CountBytes = sizeof(uint);
    private const int CountBits = 24;

    public bool IsComparable => false;

    /// <summary>How many of so many coordinates are kept: the share, rounded up.</summary>
    public static long Kept(double keep, long coordinates) => (long)Math.Min(coordinates, Math.Ceiling(keep * coordinates));

    public (int Min, int Max) EncodedLength(int coordinates) =>
        (CountBytes, CountBytes + Values.EncodedLength(coordinates).Max + GapCoding.MaxLength(coordinates));

    public int ExpectedLength(int coordinates)
    {
        var kept = (int)Kept(Keep, coordinates);
        var rice = GapCoding.RiceOf(Keep);
        return (int)Math.Min(EncodedLength(coordinates).Max, CountBytes + Values.EncodedLength(kept).Max + IndexBytes(kept, coordinates, rice) + 2);
    }

    public long MaxUpdateLength(long coordinates, int blockCoordinates)
    {
        // With the usual r, which every block tries, k indices below n take at most k·(1 + r) + n / 2ʳ bits and two bytes for the ends.
        // Values take a fixed length each beside what a block of them begins with.
        var blocks = UpdateFormat.Blocks(coordinates, blockCoordinates);
        var kept = Kept(Keep, coordinates);
        var rice = GapCoding.RiceOf(Keep);
        var (one, two) = (Values.EncodedLength(1).Max, Values.EncodedLength(2).Max);
        return (blocks * (CountBytes + one - (two - one) + 2)) + (kept * (two - one)) + IndexBytes(kept, coordinates, rice);
    }

    /// <summary>Keeps the largest of this block alone; an update's are chosen by <see cref="TopKSelection"/>.</summary>
    public int Encode(ReadOnlySpan<float> values, Span<byte> destination) => Encode(values, destination, 0);

    public int Encode(ReadOnlySpan<float> values, Span<byte> destination, long chance)
    {
        var selection = TopKSelection.Of(new UpdateDeltas(values, []), (int)Kept(Keep, values.Length));
        selection.Take(values, 0, values.Length, out var indices, out var kept);
        return Write(indices, kept, values.Length, destination, chance);
    }

    /// <summary>Writes a block.</summary>
    /// <param name="indices">Where the values stand, ascending.</param>
    /// <param name="values">Finite.</param>
    /// <param name="coordinates">Coordinates of the block.</param>
    /// <param name="destination">At least the largest legal length.</param>
    /// <param name="chance">For values that are rounded at random.</param>
    public int Write(ReadOnlySpan<int> indices, ReadOnlySpan<float> values, int coordinates, Span<byte> destination, long chance)
    {
        if (indices.IsEmpty)
        {
            destination[..CountBytes].Clear();
            return CountBytes;
        }

        var (rice, length) = GapCoding.Choose(indices, coordinates, GapCoding.RiceOf(Keep));
        BinaryPrimitives.WriteUInt32LittleEndian(destination, (uint)indices.Length | ((uint)rice << CountBits));
        var written = CountBytes + Values.Encode(values, destination[CountBytes..], chance);
        GapCoding.Write(indices, rice, destination.Slice(written, length));
        return written + length;
    }

    public bool TryRead(ReadOnlySpan<byte> block, int coordinates, SparseBlock sparse)
    {
        if (block.Length < CountBytes)
        {
            return false;
        }

        var head = BinaryPrimitives.ReadUInt32LittleEndian(block);
        var (count, rice) = ((int)(head & ((1 << CountBits) - 1)), (int)(head >> CountBits));
        if (head == 0)
        {
            sparse.Resize(0);
            return block.Length == CountBytes;
        }

        // Before anything is held for them: there are no more of them than coordinates, and their bytes are there.
        if (count < 1 || count > coordinates || rice > GapCoding.MaxRice)
        {
            return false;
        }

        var values = Values.EncodedLength(count).Max;
        if (block.Length - CountBytes < values)
        {
            return false;
        }

        sparse.Resize(count);
        return Values.TryDecode(block.Slice(CountBytes, values), sparse.Values)
            && GapCoding.TryRead(block[(CountBytes + values)..], rice, coordinates, sparse.Indices);
    }

    public bool TryDecode(ReadOnlySpan<byte> block, Span<float> destination) => SparseDecoding.TryDecode(this, block, destination);

    private static long IndexBytes(long kept, long coordinates, int rice) => ((kept * (1 + rice)) + (coordinates >> rice) + 7) / 8;
}
