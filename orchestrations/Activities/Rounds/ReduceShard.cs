using System.Buffers;
using System.Runtime.InteropServices;
using FedServerless.Activities.Models;
using FedServerless.Activities.State;
using FedServerless.Aggregation;
using FedServerless.Compression;
using FedServerless.Optimization;
using FedServerless.Storage;
using FedServerless.Wire.Updates;
using FedServerless.Workflows.Engine;
using FedServerless.Workflows.Rounds;

namespace FedServerless.Activities.Rounds;

/// <summary>
/// Steps 8 and 10 on one coordinate range: fold the accepted updates in client-id order, apply the server optimizer, write the
/// slices. <c>weights</c> is written last: where it is, the shard is done.
/// </summary>
internal sealed class ReduceShard(IObjectStore store, RoundReader rounds, ModelCatalog models) : IActivity<ReduceInput, ShardReduced>
{
    public async Task<ShardReduced> RunAsync(ReduceInput input, CancellationToken cancellationToken)
    {
        var done = SliceNames.Weights(input.Run, input.Round, input.Shard);
        if (await store.HeadAsync(done, cancellationToken) is not null || await rounds.IsOverAsync(input.Run, input.Round, cancellationToken))
        {
            return new ShardReduced(true);
        }

        var plan = (await rounds.PlanAsync(input.Run, input.Round, cancellationToken)).Value;
        var shape = await rounds.ShapeAsync(plan, cancellationToken);
        var accepted = (await store.GetAsync(StoreNames.Accepted(input.Run, input.Round), StoreJson.Default.AcceptedDocument, cancellationToken)).Value;
        var updates = new AcceptedUpdates(store, rounds, plan, shape, accepted.Accepted);
        if (input.Shard == 0)
        {
            await ReduceIntegersAsync(plan, shape, updates, cancellationToken);
        }

        var range = RoundGeometry.Range(plan, input.Shard);
        var aggregate = await FoldAsync(plan, shape, range, updates, cancellationToken);
        var weights = new float[range.Count];
        if (range.IsBuffers)
        {
            if (!BufferMean.TryRound(aggregate, weights))
            {
                return new ShardReduced(false);
            }
        }
        else if (!await StepAsync(plan, input, range, aggregate, weights, cancellationToken))
        {
            return new ShardReduced(false);
        }

        await PutValuesAsync(done, weights, cancellationToken);
        return new ShardReduced(true);
    }

    /// <summary>The aggregate of a range, in double: deltas for parameters, values for buffers.</summary>
    private static async Task<double[]> FoldAsync(
        RoundPlan plan, UpdateShape shape, ShardRange range, AcceptedUpdates updates, CancellationToken cancellationToken)
    {
        var aggregate = new double[range.Count];
        if (range.Count == 0)
        {
            return aggregate;
        }

        var aggregator = Aggregators.Find(plan.Aggregation.Rule);
        var (first, count) = shape.BlocksOf(range.Start, range.Count);
        var blocks = Enumerable.Range(first, count).Select(block => aggregator.Begin(shape.ValuesOf(block).Count)).ToArray();
        // Buffers are float32 whatever the codec of the parameters is.
        var codec = range.IsBuffers ? UpdateCodecs.All.Get(UpdateCodecs.Float32) : shape.Codec;
        await updates.ForEachAsync(
            first, count,
            (block, headers, bytes, weights) =>
            {
                if (!blocks[block - first].TryAddAll(codec, bytes, weights))
                {
                    throw new InvalidDataException(
                        $"Block {block} of update {string.Join(" or ", headers.ToArray().Select(header => header.Digest))} passed validation and is now illegal.");
                }
            },
            cancellationToken);

        var offset = 0;
        foreach (var block in blocks)
        {
            block.Complete(aggregate.AsSpan(offset, block.Dimension));
            offset += block.Dimension;
        }

        return aggregate;
    }

    private async Task<bool> StepAsync(
        RoundPlan plan, ReduceInput input, ShardRange range, double[] aggregate, float[] weights, CancellationToken cancellationToken)
    {
        var optimizer = ServerOptimizers.Create(plan.Optimizer);
        await models.ReadFloatsAsync(plan.Base, range.Start, weights, cancellationToken);
        var state = new float[range.Count * optimizer.StateNames.Count];
        for (var k = 0; k < optimizer.StateNames.Count; k++)
        {
            var slice = state.AsMemory(k * range.Count, range.Count);
            if (plan.OptimizerState is { } stored)
            {
                await models.ReadFloatsAsync(stored, (k * plan.Parameters) + range.Start, slice, cancellationToken);
            }
            else
            {
                slice.Span.Fill(optimizer.InitialState(k));
            }
        }

        if (!optimizer.TryApply(weights, aggregate, state, weights, state))
        {
            return false;
        }

        for (var k = 0; k < optimizer.StateNames.Count; k++)
        {
            var name = SliceNames.State(input.Run, input.Round, input.Shard, optimizer.StateNames[k]);
            await PutValuesAsync(name, state.AsMemory(k * range.Count, range.Count), cancellationToken);
        }

        return true;
    }

    private async Task PutValuesAsync(string name, ReadOnlyMemory<float> values, CancellationToken cancellationToken)
    {
        var length = sizeof(float) * values.Length;
        var bytes = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            MemoryMarshal.AsBytes(values.Span).CopyTo(bytes);
            await store.PutBytesAsync(name, bytes.AsMemory(0, length), PutCondition.CreateOnce, cancellationToken);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    private async Task ReduceIntegersAsync(RoundPlan plan, UpdateShape shape, AcceptedUpdates updates, CancellationToken cancellationToken)
    {
        if (shape.Layout.IntegerCount == 0)
        {
            return;
        }

        var maximum = new long[shape.Layout.IntegerCount];
        await models.ReadIntegersAsync(plan.Base, maximum, cancellationToken);
        await updates.ForEachAsync(
            shape.FloatBlocks, shape.IntegerBlocks,
            (block, headers, bytes, _) =>
            {
                var (start, count) = shape.ValuesOf(block);
                var values = new long[count];
                for (var i = 0; i < headers.Length; i++)
                {
                    if (!headers[i].TryDecodeBlock(block, bytes[i].Span, values.AsSpan()))
                    {
                        throw new InvalidDataException($"Block {block} of update {headers[i].Digest} passed validation and is now illegal.");
                    }

                    IntegerMaximum.Accumulate(values, maximum.AsSpan((int)start, count));
                }
            },
            cancellationToken);
        await store.PutBytesAsync(
            SliceNames.Integers(plan.Run, plan.Round), MemoryMarshal.AsBytes(maximum.AsSpan()).ToArray(), PutCondition.CreateOnce, cancellationToken);
    }
}
