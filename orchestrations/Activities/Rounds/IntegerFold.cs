using FedServerless.Activities.State;
using FedServerless.Aggregation;
using FedServerless.Wire.Updates;

namespace FedServerless.Activities.Rounds;

/// <summary>The largest of clients' integers. A maximum does not care in which order or in how many pieces it is taken.</summary>
internal sealed class IntegerFold(UpdateShape shape)
{
    /// <summary>The largest so far; begins at the smallest there is.</summary>
    public long[] Maximum { get; } = NewMaximum(shape);

    /// <summary>Begins anew.</summary>
    public void Restart() => Maximum.AsSpan().Fill(long.MinValue);

    /// <summary>Takes in some of the accepted updates.</summary>
    public Task AddAsync(AcceptedUpdates updates, int first, int count, CancellationToken cancellationToken) =>
        updates.ForEachAsync(first, count, shape.FloatBlocks, shape.IntegerBlocks, Visit, cancellationToken);

    /// <summary>Takes in values.</summary>
    public void Add(ReadOnlySpan<long> values) => IntegerMaximum.Accumulate(values, Maximum);

    private static long[] NewMaximum(UpdateShape shape)
    {
        var maximum = new long[shape.Layout.IntegerCount];
        Array.Fill(maximum, long.MinValue);
        return maximum;
    }

    private void Visit(int block, ReadOnlySpan<AcceptedUpdate> updates, ReadOnlySpan<UpdateHeader> headers, ReadOnlySpan<ReadOnlyMemory<byte>> bytes)
    {
        var (start, count) = shape.ValuesOf(block);
        var values = new long[count];
        for (var i = 0; i < headers.Length; i++)
        {
            if (!headers[i].TryDecodeBlock(block, bytes[i].Span, values.AsSpan()))
            {
                throw new InvalidDataException($"Block {block} of update {headers[i].Digest} passed validation and is now illegal.");
            }

            IntegerMaximum.Accumulate(values, Maximum.AsSpan((int)start, count));
        }
    }
}
