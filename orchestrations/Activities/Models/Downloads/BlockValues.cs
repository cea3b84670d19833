using FedServerless.Activities.State;
using FedServerless.Storage;
using FedServerless.Wire.Downloads;
using FedServerless.Wire.Updates;

namespace FedServerless.Activities.Models.Downloads;

/// <summary>Where the float32 values of a model come from, whole blocks at a time.</summary>
internal abstract class BlockValues
{
    /// <summary>Reads blocks of one section.</summary>
    /// <param name="shape">The blocks.</param>
    /// <param name="first">The first.</param>
    /// <param name="count">How many.</param>
    /// <param name="destination">As long as their values.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public abstract Task ReadAsync(UpdateShape shape, int first, int count, Memory<float> destination, CancellationToken cancellationToken);
}

/// <summary>A model file's values.</summary>
internal sealed class StoredValues(ModelCatalog models, StoredArtifact artifact) : BlockValues
{
    public override Task ReadAsync(UpdateShape shape, int first, int count, Memory<float> destination, CancellationToken cancellationToken) =>
        models.ReadFloatsAsync(artifact, shape.ValuesOf(first).Start, destination, cancellationToken);
}

/// <summary>The values of an encoded model that builds on nothing.</summary>
internal sealed class EncodedValues(IObjectStore store, StoredArtifact artifact, EncodedModelShape encoded) : BlockValues
{
    public override async Task ReadAsync(UpdateShape shape, int first, int count, Memory<float> destination, CancellationToken cancellationToken)
    {
        var bytes = new byte[encoded.OffsetOf(first + count) - encoded.OffsetOf(first)];
        if (await store.ReadAsync(artifact.Object, encoded.OffsetOf(first), bytes, cancellationToken) is null)
        {
            throw new InvalidDataException($"'{artifact.Object}' is gone.");
        }

        encoded.Decode(first, count, bytes, destination.Span);
    }
}

/// <summary>What devices have after a delta: computed anew, from the same numbers in the same order.</summary>
internal sealed class ReconstructedValues(BlockValues values, BlockValues start, Func<EncodedModelWriter> delta) : BlockValues
{
    private readonly EncodedModelWriter _delta = delta();

    public override async Task ReadAsync(UpdateShape shape, int first, int count, Memory<float> destination, CancellationToken cancellationToken)
    {
        await values.ReadAsync(shape, first, count, destination, cancellationToken);
        if (shape.SectionOf(first) == UpdateSection.Buffers)
        {
            return;
        }

        var before = new float[destination.Length];
        await start.ReadAsync(shape, first, count, before, cancellationToken);
        var result = new float[shape.BlockCoordinates];
        for (var (block, at) = (first, 0); block < first + count; block++)
        {
            var length = shape.ValuesOf(block).Count;
            _delta.Write(block, destination.Span.Slice(at, length), before.AsSpan(at, length), result.AsSpan(0, length));
            result.AsSpan(0, length).CopyTo(destination.Span[at..]);
            at += length;
        }
    }
}
