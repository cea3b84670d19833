using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using FedServerless.Compression;
using FedServerless.Numerics;

namespace FedServerless.Wire.Updates;

/// <summary>
/// The checked header of one update. Its digest is what the receipt signs; it pins every block by length and truncated
/// SHA-256, so a block read from anywhere is checked alone. Immutable.
/// </summary>
public sealed class UpdateHeader
{
    private readonly byte[] _bytes;
    private readonly long[] _offsets;

    private UpdateHeader(UpdateShape shape, Digest baseDigest, byte[] bytes, long[] offsets)
    {
        Shape = shape;
        BaseDigest = baseDigest;
        Digest = Digest.Of(bytes);
        _bytes = bytes;
        _offsets = offsets;
    }

    /// <summary>What every update of the round looks like.</summary>
    public UpdateShape Shape { get; }

    /// <summary>SHA-256 of the model artifact that the parameter deltas are against.</summary>
    public Digest BaseDigest { get; }

    /// <summary>SHA-256 of <see cref="Bytes"/>: what the receipt signs.</summary>
    public Digest Digest { get; }

    /// <summary>The header as it is stored.</summary>
    public ReadOnlyMemory<byte> Bytes => _bytes;

    /// <summary>Length of the payload, in bytes.</summary>
    public long PayloadLength => _offsets[^1];

    /// <summary>
    /// Reads a header from a client. Nothing is allocated before every number in it was found to be what
    /// <paramref name="shape"/> implies.
    /// </summary>
    /// <param name="bytes">The whole header object.</param>
    /// <param name="shape">What the round's plan implies.</param>
    /// <param name="baseDigest">The artifact that the round started from.</param>
    /// <param name="header">The header, or null.</param>
    /// <param name="problem">What is wrong and what would be right, or null.</param>
    public static bool TryParse(
        ReadOnlySpan<byte> bytes,
        UpdateShape shape,
        Digest baseDigest,
        [NotNullWhen(true)] out UpdateHeader? header,
        [NotNullWhen(false)] out string? problem)
    {
        ArgumentNullException.ThrowIfNull(shape);
        header = null;
        problem = UpdateHeaderLayout.Check(bytes, shape, baseDigest);
        if (problem is not null)
        {
            return false;
        }

        header = Trusted(bytes.ToArray(), shape, baseDigest);
        return true;
    }

    /// <summary>What the bytes of a header say they are against, before anything of them was checked; zeros where there are too few.</summary>
    public static Digest BaseDigestOf(ReadOnlySpan<byte> bytes) => UpdateHeaderLayout.BaseDigestOf(bytes);

    /// <summary>Offset of a block in the payload, in bytes.</summary>
    public long BlockOffset(int block)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(block, Shape.BlockCount);
        return _offsets[block];
    }

    /// <summary>Where the byte after a block is in the payload.</summary>
    public long BlockEnd(int block) => _offsets[block + 1];

    /// <summary>Length of a block, in bytes.</summary>
    public int BlockLength(int block) => (int)(_offsets[block + 1] - _offsets[block]);

    /// <summary>True when <paramref name="bytes"/> are what the header's signer uploaded as this block.</summary>
    public bool VerifyBlock(int block, ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != BlockLength(block))
        {
            return false;
        }

        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(bytes, hash);
        return hash[..UpdateFormat.BlockHashBytes].SequenceEqual(UpdateHeaderLayout.BlockHash(_bytes, block));
    }

    /// <summary>
    /// Decodes a block of parameters (deltas) or buffers (values). It does not hash: call <see cref="VerifyBlock"/> first.
    /// </summary>
    /// <param name="block">Below <see cref="UpdateShape.FloatBlocks"/>.</param>
    /// <param name="bytes">The block's bytes.</param>
    /// <param name="destination">Exactly as many values as <see cref="UpdateShape.ValuesOf"/> says.</param>
    /// <returns>False when the bytes are not a legal block of finite values; the destination is then undefined.</returns>
    public bool TryDecodeBlock(int block, ReadOnlySpan<byte> bytes, Span<float> destination)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(block, Shape.FloatBlocks);
        ArgumentOutOfRangeException.ThrowIfNotEqual(destination.Length, Shape.ValuesOf(block).Count);
        if (bytes.Length != BlockLength(block))
        {
            return false;
        }

        if (Shape.SectionOf(block) == UpdateSection.Parameters)
        {
            return Shape.Codec.ForBlock(block).TryDecode(bytes, destination);
        }

        LittleEndian.Read(bytes, destination);
        return FiniteValues.All(destination);
    }

    /// <summary>
    /// Adds the squares of a block of parameters, as decoded; zeros that a sparse codec left out are not written out. It does not hash:
    /// call <see cref="VerifyBlock"/> first.
    /// </summary>
    /// <param name="block">Below <see cref="UpdateShape.ParameterBlocks"/>.</param>
    /// <param name="bytes">The block's bytes.</param>
    /// <param name="scratch">At least as many values as <see cref="UpdateShape.ValuesOf"/> says; overwritten.</param>
    /// <param name="squares">Takes them; the blocks before must have been added.</param>
    /// <returns>False, with nothing added, when the bytes are not a legal block of finite values.</returns>
    public bool TryAddSquares(int block, ReadOnlySpan<byte> bytes, Span<float> scratch, RunningSumOfSquares squares)
    {
        ArgumentNullException.ThrowIfNull(squares);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(block, Shape.ParameterBlocks);
        var count = Shape.ValuesOf(block).Count;
        if (bytes.Length == BlockLength(block) && Shape.Codec.ForBlock(block) is ISparseUpdateCodec codec)
        {
            return SparseDecoding.TryAddSquares(codec, bytes, count, squares);
        }

        var values = scratch[..count];
        if (!TryDecodeBlock(block, bytes, values))
        {
            return false;
        }

        squares.Add(values);
        return true;
    }

    /// <summary>Decodes a block of integers; see <see cref="TryDecodeBlock(int, ReadOnlySpan{byte}, Span{float})"/>.</summary>
    /// <param name="block">From <see cref="UpdateShape.FloatBlocks"/>, below <see cref="UpdateShape.BlockCount"/>.</param>
    /// <param name="bytes">The block's bytes.</param>
    /// <param name="destination">Exactly as many values as <see cref="UpdateShape.ValuesOf"/> says.</param>
    /// <returns>False when the bytes are not as long as they must be.</returns>
    public bool TryDecodeBlock(int block, ReadOnlySpan<byte> bytes, Span<long> destination)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(block, Shape.FloatBlocks);
        ArgumentOutOfRangeException.ThrowIfNotEqual(destination.Length, Shape.ValuesOf(block).Count);
        if (bytes.Length != BlockLength(block))
        {
            return false;
        }

        LittleEndian.Read(bytes, destination);
        return true;
    }

    /// <summary>Takes over bytes already known to be right.</summary>
    internal static UpdateHeader Trusted(byte[] bytes, UpdateShape shape, Digest baseDigest)
    {
        var offsets = new long[shape.BlockCount + 1];
        for (var block = 0; block < shape.BlockCount; block++)
        {
            offsets[block + 1] = offsets[block] + UpdateHeaderLayout.BlockLength(bytes, block);
        }

        return new UpdateHeader(shape, baseDigest, bytes, offsets);
    }
}
