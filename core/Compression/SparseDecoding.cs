namespace FedServerless.Compression;

/// <summary>A sparse block written out with its zeros.</summary>
internal static class SparseDecoding
{
    // What a thread last read; a few hundred kilobytes at most, as blocks have 65 536 coordinates at most.
    [ThreadStatic]
    private static SparseBlock? _scratch;

    /// <summary>See <see cref="IUpdateCodec.TryDecode"/>.</summary>
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
}
