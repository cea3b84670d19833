using FedServerless.Numerics;

namespace FedServerless.Compression;

/// <summary>What is read out of sparse blocks.</summary>
internal static class SparseDecoding
{
    // What a thread last read; a few hundred kilobytes at most, as blocks have 65 536 coordinates at most.
    [ThreadStatic]
    private static SparseBlock? _scratch;

    /// <summary>The block with its zeros written out; see <see cref="IUpdateCodec.TryDecode"/>.</summary>
    public static bool TryDecode(ISparseUpdateCodec codec, ReadOnlySpan<byte> block, Span<float> destination)
    {
        var sparse = _scratch ??= new SparseBlock();
        if (!codec.TryRead(block, destination.Length, sparse))
        {
            return false;
        }

        sparse.Scatter(destination);
        return true;
    }

    /// <summary>Adds the squares of a block's values; false, with nothing added, when it is not legal.</summary>
    public static bool TryAddSquares(ISparseUpdateCodec codec, ReadOnlySpan<byte> block, int coordinates, RunningSumOfSquares squares)
    {
        var sparse = _scratch ??= new SparseBlock();
        if (!codec.TryRead(block, coordinates, sparse))
        {
            return false;
        }

        squares.AddSparse(sparse.Indices, sparse.Values, coordinates);
        return true;
    }
}
