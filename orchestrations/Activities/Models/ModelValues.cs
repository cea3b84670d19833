using System.Buffers;
using System.Runtime.InteropServices;
using FedServerless.Activities.State;
using FedServerless.Model;
using FedServerless.Storage;

namespace FedServerless.Activities.Models;

/// <summary>Ranged reads of an artifact's values into the caller's memory.</summary>
internal static class ModelValues
{
    public static async Task ReadFloatsAsync(
        this ModelCatalog models, StoredArtifact artifact, long start, Memory<float> destination, CancellationToken cancellationToken)
    {
        var header = await models.HeaderAsync(artifact, cancellationToken);
        foreach (var segment in header.FloatSegments(start, destination.Length))
        {
            var slice = destination.Slice((int)(segment.Start - start), (int)segment.Count);
            await ReadAsync(models.Store, artifact, segment, slice, cancellationToken);
        }
    }

    public static async Task ReadIntegersAsync(
        this ModelCatalog models, StoredArtifact artifact, Memory<long> destination, CancellationToken cancellationToken)
    {
        var header = await models.HeaderAsync(artifact, cancellationToken);
        foreach (var segment in header.IntegerSegments(0, destination.Length))
        {
            await ReadAsync(models.Store, artifact, segment, destination.Slice((int)segment.Start, (int)segment.Count), cancellationToken);
        }
    }

    private static async Task ReadAsync<T>(
        IObjectStore store, StoredArtifact artifact, FileSegment segment, Memory<T> destination, CancellationToken cancellationToken)
        where T : unmanaged
    {
        var length = MemoryMarshal.AsBytes(destination.Span).Length;
        var bytes = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            if (await store.ReadAsync(artifact.Object, segment.FileOffset, bytes.AsMemory(0, length), cancellationToken) is null)
            {
                throw new InvalidDataException($"'{artifact.Object}' is gone.");
            }

            bytes.AsSpan(0, length).CopyTo(MemoryMarshal.AsBytes(destination.Span));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }
}
