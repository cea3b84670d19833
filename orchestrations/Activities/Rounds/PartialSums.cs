using System.Buffers;
using FedServerless.Activities.State;
using FedServerless.Storage;

namespace FedServerless.Activities.Rounds;

/// <summary>Keeps and reads back what chunks of clients came to.</summary>
internal sealed class PartialSums(IObjectStore store, RoundPlan plan)
{
    /// <summary>True when it lies there already.</summary>
    public async Task<bool> HasAsync(PartialSum partial, CancellationToken cancellationToken) =>
        await store.HeadAsync(NameOf(partial), cancellationToken) is not null;

    /// <summary>Writes one, once; whoever comes second leaves what is there.</summary>
    /// <param name="partial">Which.</param>
    /// <param name="weight">The weights in it.</param>
    /// <param name="fill">Fills in its values.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public async Task WriteAsync(PartialSum partial, double weight, Action<Span<byte>> fill, CancellationToken cancellationToken)
    {
        var bytes = ArrayPool<byte>.Shared.Rent(partial.Length);
        try
        {
            fill(PartialSum.Values(bytes.AsSpan(0, partial.Length)));
            partial.Seal(weight, bytes.AsSpan(0, partial.Length));
            await store.PutBytesAsync(NameOf(partial), bytes.AsMemory(0, partial.Length), PutCondition.CreateOnce, cancellationToken);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    /// <summary>Removes one.</summary>
    public Task DeleteAsync(PartialSum partial, CancellationToken cancellationToken) => store.DeleteAsync(NameOf(partial), cancellationToken);

    /// <summary>Reads one and hands over its values and weight; false when it is not there.</summary>
    /// <exception cref="InvalidDataException">It is not what was written for these updates.</exception>
    public async Task<bool> TryReadAsync(PartialSum partial, PartialVisitor visit, CancellationToken cancellationToken)
    {
        var bytes = ArrayPool<byte>.Shared.Rent(partial.Length);
        try
        {
            if (await store.ReadAsync(NameOf(partial), 0, bytes.AsMemory(0, partial.Length), cancellationToken) is null)
            {
                return false;
            }

            var weight = partial.Open(bytes.AsSpan(0, partial.Length));
            visit(PartialSum.Values(bytes.AsSpan(0, partial.Length)), weight);
            return true;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    private string NameOf(PartialSum partial) => plan.Privacy is null
        ? SliceNames.Partial(plan.Run, plan.Round, partial.Shard, partial.Chunk)
        : StoreNames.UnNoisedSum(plan.Run, plan.Round, partial.Shard, partial.Chunk);
}

/// <summary>What is done with the values of a partial sum.</summary>
internal delegate void PartialVisitor(ReadOnlySpan<byte> values, double weight);
