using System.Buffers;
using System.Numerics;
using FedServerless.Numerics;

namespace FedServerless.Compression;

/// <summary>
/// The deltas at coordinates that were drawn for the round, the same for all clients (Konečný et al. 2016, arXiv:1610.05492, section 2,
/// random mask): so many of each block, only their values travel. They are not scaled up; the rest count as zero.
/// </summary>
/// <param name="Name">The name in specs.</param>
/// <param name="Id">The id in headers.</param>
/// <param name="Values">How the values are written.</param>
/// <param name="Keep">Share kept of each block, above 0, at most 1.</param>
/// <param name="MaskSeed">From the round's plan.</param>
/// <param name="Block">The block whose mask this is.</param>
internal sealed record RandomKCodec(string Name, byte Id, IUpdateCodec Values, double Keep, long MaskSeed, int Block = 0) : ISparseUpdateCodec
{
    private const string Purpose = "mask";

    public bool HasMask => true;

    public (int Min, int Max) EncodedLength(int coordinates) => Values.EncodedLength(Kept(coordinates));

    public IUpdateCodec ForBlock(int block) => block == Block ? this : this with { Block = block };

    public int Encode(ReadOnlySpan<float> values, Span<byte> destination) => Encode(values, destination, 0);

    public int Encode(ReadOnlySpan<float> values, Span<byte> destination, long chance)
    {
        var count = Kept(values.Length);
        var (indices, kept) = (ArrayPool<int>.Shared.Rent(count), ArrayPool<float>.Shared.Rent(count));
        DrawMask(values.Length, indices.AsSpan(0, count));
        for (var i = 0; i < count; i++)
        {
            kept[i] = values[indices[i]];
        }

        var length = Values.Encode(kept.AsSpan(0, count), destination, chance);
        ArrayPool<int>.Shared.Return(indices);
        ArrayPool<float>.Shared.Return(kept);
        return length;
    }

    public bool TryRead(ReadOnlySpan<byte> block, int coordinates, SparseBlock sparse)
    {
        var count = Kept(coordinates);
        sparse.Resize(count);
        if (!Values.TryDecode(block, sparse.Values))
        {
            return false;
        }

        DrawMask(coordinates, sparse.Indices);
        return true;
    }

    public bool TryDecode(ReadOnlySpan<byte> block, Span<float> destination) => SparseDecoding.TryDecode(this, block, destination);

    /// <summary>
    /// A uniform choice of the block's coordinates, ascending: Floyd's (Bentley and Floyd 1987), which takes one draw each.
    /// </summary>
    internal void DrawMask(int coordinates, Span<int> indices)
    {
        var random = DeterministicRandom.Derive(MaskSeed, Purpose, Block);
        Span<ulong> drawn = stackalloc ulong[(coordinates + 63) / 64];
        drawn.Clear();
        for (var j = coordinates - indices.Length; j < coordinates; j++)
        {
            var index = random.NextInt(j + 1);
            var at = (drawn[index >> 6] >> (index & 63) & 1) == 0 ? index : j;
            drawn[at >> 6] |= 1UL << (at & 63);
        }

        var count = 0;
        for (var word = 0; word < drawn.Length; word++)
        {
            for (var bits = drawn[word]; bits != 0; bits &= bits - 1)
            {
                indices[count++] = (word << 6) + BitOperations.TrailingZeroCount(bits);
            }
        }
    }

    private int Kept(int coordinates) => (int)TopKCodec.Kept(Keep, coordinates);
}
