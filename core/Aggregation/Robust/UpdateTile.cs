using System.Diagnostics.CodeAnalysis;
using FedServerless.Compression;

namespace FedServerless.Aggregation.Robust;

/// <summary>
/// The same block of coordinates of several clients' updates, in the order of client ids, read a tile of columns at a time so
/// that memory beyond the encoded bytes does not grow with the block.
/// </summary>
public sealed class UpdateTile
{
    private readonly IUpdateCodec _codec;

    private readonly ReadOnlyMemory<byte>[] _blocks;

    // Rows that are floats already: those of codecs without a kernel here, decoded whole, and rows that are no client's.
    private readonly float[]?[] _decoded;

    // Rows of a sparse codec that leave most out: a tile of them is written out when it is read.
    private readonly SparseBlock?[] _sparse;

    private UpdateTile(IUpdateCodec codec, ReadOnlyMemory<byte>[] blocks, float[]?[] decoded, SparseBlock?[] sparse, int coordinates)
    {
        (_codec, _blocks, _decoded, _sparse) = (codec, blocks, decoded, sparse);
        Coordinates = coordinates;
    }

    /// <summary>Rows: clients, then extra rows.</summary>
    public int Rows => _decoded.Length;

    /// <summary>Coordinates of the block.</summary>
    public int Coordinates { get; }

    /// <summary>Opens the blocks; false when one of them is not legal. Some are only looked at when they are read.</summary>
    /// <param name="codec">What wrote them.</param>
    /// <param name="blocks">A block a client.</param>
    /// <param name="coordinates">Values in each.</param>
    /// <param name="extraRows">Rows that follow the clients', <paramref name="coordinates"/> values each; null for none.</param>
    /// <param name="tile">The rows, when true is returned.</param>
    public static bool TryOpen(
        IUpdateCodec codec, ReadOnlySpan<ReadOnlyMemory<byte>> blocks, int coordinates, IReadOnlyList<float[]>? extraRows,
        [NotNullWhen(true)] out UpdateTile? tile)
    {
        ArgumentNullException.ThrowIfNull(codec);
        tile = null;
        var decoded = new float[]?[blocks.Length + (extraRows?.Count ?? 0)];
        var sparse = new SparseBlock?[decoded.Length];
        for (var i = 0; i < blocks.Length && codec.Name is not (UpdateCodecs.Float32 or UpdateCodecs.Float16 or UpdateCodecs.Int8); i++)
        {
            if (!TryOpen(codec, blocks[i].Span, coordinates, out decoded[i], out sparse[i]))
            {
                return false;
            }
        }

        for (var i = blocks.Length; i < decoded.Length; i++)
        {
            decoded[i] = extraRows![i - blocks.Length];
            ArgumentOutOfRangeException.ThrowIfNotEqual(decoded[i]!.Length, coordinates);
        }

        tile = new UpdateTile(codec, blocks.ToArray(), decoded, sparse, coordinates);
        return true;
    }

    /// <summary>
    /// Decodes columns [<paramref name="start"/>, + <paramref name="count"/>) of all clients: client <c>r</c>'s stand at
    /// <c>values[r·stride …]</c>. False when a value is not legal.
    /// </summary>
    internal bool TryRead(int start, int count, Span<float> values, int stride)
    {
        for (var row = 0; row < Rows; row++)
        {
            var destination = values.Slice(row * stride, count);
            if (_decoded[row] is { } decoded)
            {
                decoded.AsSpan(start, count).CopyTo(destination);
                continue;
            }

            if (_sparse[row] is { } sparse)
            {
                sparse.Scatter(start, destination);
                continue;
            }

            var block = _blocks[row].Span;
            var legal = _codec.Name switch
            {
                UpdateCodecs.Float32 => TryRead<Float32Values, float>(block, start, destination),
                UpdateCodecs.Float16 => TryRead<Float16Values, ushort>(block, start, destination),
                _ => TryRead<Int8Values, sbyte>(block, start, destination),
            };
            if (!legal)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>A row without a kernel: what was sent and where, or all values where that takes less memory.</summary>
    private static bool TryOpen(IUpdateCodec codec, ReadOnlySpan<byte> block, int coordinates, out float[]? decoded, out SparseBlock? sparse)
    {
        (decoded, sparse) = (null, null);
        if (codec is ISparseUpdateCodec reader)
        {
            sparse = new SparseBlock();
            if (!reader.TryRead(block, coordinates, sparse))
            {
                return false;
            }

            if (sparse.Count <= coordinates / 2)
            {
                return true;
            }

            (decoded, sparse) = (new float[coordinates], null);
        }

        decoded ??= new float[coordinates];
        return codec.TryDecode(block, decoded);
    }

    private bool TryRead<TValues, T>(ReadOnlySpan<byte> block, int start, Span<float> destination)
        where TValues : struct, IEncodedValues<TValues, T>
        where T : unmanaged =>
        TValues.TryOpen(block, Coordinates, out var reading, out var values)
        && EncodedTile.TryRead<TValues, T>(reading, values.Slice(start, destination.Length), destination);
}
