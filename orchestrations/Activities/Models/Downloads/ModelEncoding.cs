using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using FedServerless.Numerics;
using FedServerless.Wire;
using FedServerless.Wire.Downloads;

namespace FedServerless.Activities.Models.Downloads;

/// <summary>Encodes a model while it is read: memory is a few blocks, whatever the model. Each file is computed once.</summary>
/// <param name="writer">The file to make.</param>
/// <param name="values">The model's values.</param>
/// <param name="start">Those of the model that is built on; null for none.</param>
/// <param name="integers">The model's integers.</param>
internal sealed class ModelEncoding(EncodedModelWriter writer, BlockValues values, BlockValues? start, long[] integers)
{
    /// <summary>Blocks read at a time.</summary>
    private const int BlocksAtOnce = 16;

    /// <summary>SHA-256 of the model file that a device makes of it, once <see cref="EncodedAsync"/> or <see cref="ResultAsync"/> was read to its end.</summary>
    public Digest Result { get; private set; }

    /// <summary>The encoded file.</summary>
    public async IAsyncEnumerable<ReadOnlyMemory<byte>> EncodedAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        yield return writer.Prelude;
        await foreach (var (encoded, _) in BlocksAsync(cancellationToken))
        {
            yield return encoded;
        }

        for (var block = writer.Shape.FloatBlocks; block < writer.Shape.BlockCount; block++)
        {
            var (first, count) = writer.Shape.ValuesOf(block);
            yield return writer.Write(block, integers.AsSpan((int)first, count));
        }

        yield return writer.Trailer;
    }

    /// <summary>The file that a device makes of it.</summary>
    public async IAsyncEnumerable<ReadOnlyMemory<byte>> ResultAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        yield return writer.File.Header;
        yield return IntegerBytes();
        await foreach (var (_, result) in BlocksAsync(cancellationToken))
        {
            yield return result;
        }
    }

    private async IAsyncEnumerable<(ReadOnlyMemory<byte> Encoded, ReadOnlyMemory<byte> Result)> BlocksAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var shape = writer.Shape;
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(writer.File.Header.Span);
        hash.AppendData(IntegerBytes());
        var here = new float[BlocksAtOnce * shape.BlockCoordinates];
        var before = start is null ? [] : new float[here.Length];
        var result = new float[shape.BlockCoordinates];
        var bytes = new byte[shape.BlockCoordinates * sizeof(float)];
        for (var (first, count) = (0, 0); first < shape.FloatBlocks; first += count)
        {
            var isBuffers = first >= shape.ParameterBlocks;
            count = Math.Min(BlocksAtOnce, (isBuffers ? shape.FloatBlocks : shape.ParameterBlocks) - first);
            var length = Enumerable.Range(first, count).Sum(block => shape.ValuesOf(block).Count);
            await values.ReadAsync(shape, first, count, here.AsMemory(0, length), cancellationToken);
            var buildsOn = !isBuffers && start is not null;
            if (buildsOn)
            {
                await start!.ReadAsync(shape, first, count, before.AsMemory(0, length), cancellationToken);
            }

            for (var (block, at) = (first, 0); block < first + count; block++)
            {
                var n = shape.ValuesOf(block).Count;
                var encoded = writer.Write(block, here.AsSpan(at, n), buildsOn ? before.AsSpan(at, n) : [], result.AsSpan(0, n));
                LittleEndian.Write(result.AsSpan(0, n), bytes);
                hash.AppendData(bytes, 0, n * sizeof(float));
                yield return (encoded, bytes.AsMemory(0, n * sizeof(float)));
                at += n;
            }
        }

        Result = Digest.FromBytes(hash.GetHashAndReset());
    }

    private byte[] IntegerBytes()
    {
        var bytes = new byte[integers.Length * sizeof(long)];
        LittleEndian.Write(integers, bytes);
        return bytes;
    }
}
