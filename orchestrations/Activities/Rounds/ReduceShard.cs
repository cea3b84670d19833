using System.Buffers;
using System.Runtime.InteropServices;
using FedServerless.Activities.Models;
using FedServerless.Activities.State;
using FedServerless.Aggregation;
using FedServerless.Aggregation.Robust;
using FedServerless.Optimization;
using FedServerless.Storage;
using FedServerless.Wire.Updates;
using FedServerless.Workflows.Engine;
using FedServerless.Workflows.Rounds;

namespace FedServerless.Activities.Rounds;

/// <summary>
/// Steps 8 and 10 on one coordinate range: fold the accepted updates in client-id order (or join what <see cref="FoldChunks"/> folded),
/// apply the server optimizer, write the slices. <c>weights</c> is written last: where it is, the shard is done.
/// </summary>
internal sealed class ReduceShard(IObjectStore store, RoundReader rounds, ModelCatalog models, PrivateSum noisy) : IActivity<ReduceInput, ShardReduced>
{
    private readonly SolverShard _solvers = new(store, models);

    public async Task<ShardReduced> RunAsync(ReduceInput input, CancellationToken cancellationToken)
    {
        var done = SliceNames.Weights(input.Run, input.Round, input.Shard);
        if (await store.HeadAsync(done, cancellationToken) is not null || await rounds.IsOverAsync(input.Run, input.Round, cancellationToken))
        {
            return new ShardReduced(true);
        }

        var plan = (await rounds.PlanAsync(input.Run, input.Round, cancellationToken)).Value;
        var shape = await rounds.ShapeAsync(plan, cancellationToken);
        var source = new Source(plan, shape, await rounds.ContributionsAsync(plan, cancellationToken));
        if (input.Shard == 0 && shape.Layout.IntegerCount > 0)
        {
            await ReduceIntegersAsync(source, cancellationToken);
        }

        var range = RoundGeometry.Range(plan, input.Shard);
        if (plan.Privacy is not null && input.Shard == 0)
        {
            await noisy.AdaptClipAsync(plan, source.Contributions, cancellationToken);
        }

        var changes = SolverChanges.Of(plan, shape, range);
        var aggregate = plan.Privacy is null
            ? await AggregateAsync(source, input.Shard, range, changes, cancellationToken)
            : await noisy.MeanAsync(plan, shape, source.Contributions, input.Shard, range, cancellationToken);
        if (aggregate is null)
        {
            return new ShardReduced(true);
        }

        var weights = new float[range.Count];
        if (range.IsBuffers)
        {
            if (!BufferMean.TryRound(aggregate, weights))
            {
                return new ShardReduced(false);
            }
        }
        else if (!await _solvers.TryAdvanceAsync(plan, input.Shard, changes, source.Count, aggregate, cancellationToken)
            || !await StepAsync(plan, input, range, aggregate, weights, cancellationToken))
        {
            return new ShardReduced(false);
        }

        await PutValuesAsync(done, weights, cancellationToken);
        return new ShardReduced(true);
    }

    /// <summary>The aggregate of a range, in double: the chunks' sums added in order, divided by the weights added in order.</summary>
    private async Task<double[]> AggregateAsync(
        Source source, int shard, ShardRange range, SolverChanges? changes, CancellationToken cancellationToken)
    {
        if (range.Count == 0)
        {
            return [];
        }

        if (source.Contributions.Decision is { } decision && !Contributions.IsSum(decision))
        {
            return await PassAsync(source, decision, range, cancellationToken);
        }

        var total = await SumAsync(source, shard, range, changes, cancellationToken);
        return range.IsBuffers ? total.Complete()
            : source.Contributions.Decision is null ? Scaled(total.Complete(), source.Contributions.Scale)
            : await StepFromAsync(source, total, cancellationToken);
    }

    private static double[] Scaled(double[] aggregate, double scale)
    {
        for (var i = 0; scale != 1 && i < aggregate.Length; i++)
        {
            aggregate[i] *= scale;
        }

        return aggregate;
    }

    private async Task<RangeFold> SumAsync(Source source, int shard, ShardRange range, SolverChanges? changes, CancellationToken cancellationToken)
    {
        var total = new RangeFold(source.Shape, range);
        if (source.Chunks == 1 && source.Levels == 1)
        {
            await RangeFold.AddAsync(Folds(total, changes), Updates(source, range), 0, source.Count, cancellationToken);
            changes?.EndChunk();
            return total;
        }

        if (source.Levels == 1)
        {
            await FoldAsync(source, total, changes, cancellationToken);
            return total;
        }

        var partials = new PartialSums(store, source.Plan);
        for (var chunk = 0; chunk < source.Chunks; chunk++)
        {
            var partial = new PartialSum(shard, chunk, range.Count, source.Contributions.Digest);
            Expect(await partials.TryReadAsync(partial, (values, weight) => total.Join(MemoryMarshal.Cast<byte, double>(values), weight), cancellationToken), partial);
            if (changes is not null)
            {
                await JoinAsync(source, partials, shard, chunk, changes, cancellationToken);
            }
        }

        return total;
    }

    private static RangeFold[] Folds(RangeFold mean, SolverChanges? changes) => changes is null ? [mean] : [mean, changes.Chunk];

    /// <summary>A chunk of a solver's changes; folded here where a host of before they had partial sums folded the mean.</summary>
    private async Task JoinAsync(
        Source source, PartialSums partials, int shard, int chunk, SolverChanges changes, CancellationToken cancellationToken)
    {
        var partial = SolverChanges.Partial(shard, chunk, changes.Range.Count, source.Contributions.Digest);
        if (!await partials.TryReadAsync(partial, (values, _) => changes.Join(MemoryMarshal.Cast<byte, double>(values)), cancellationToken))
        {
            var (first, count) = source.Clients(chunk);
            await RangeFold.AddAsync([changes.Chunk], Updates(source, changes.Range), first, count, cancellationToken);
            changes.EndChunk();
        }
    }

    /// <summary>The rules that look at all clients of a coordinate at once; buffers go the same way.</summary>
    private async Task<double[]> PassAsync(Source source, DecisionDocument decision, ShardRange range, CancellationToken cancellationToken)
    {
        var updates = source.Contributions.Updates;
        var round = await RobustRound.OpenAsync(store, rounds, models, source.Plan, cancellationToken);
        var kernel = ColumnPassKernel.Create(Contributions.Pass(decision, updates.Count), updates.Count);
        var aggregate = new double[range.Count];
        await round.ForEachBlockAsync(
            updates, range, withExtraRows: false,
            (block, tile) =>
            {
                if (!kernel.TryRun(tile, aggregate.AsSpan((int)(source.Shape.ValuesOf(block).Start - range.Start), tile.Coordinates)))
                {
                    throw new InvalidDataException($"Block {block} of an update passed validation and is now illegal.");
                }
            },
            cancellationToken);
        return aggregate;
    }

    /// <summary>A robust rule's weights are final: the sum is not divided, and may start from the model's previous step.</summary>
    private async Task<double[]> StepFromAsync(Source source, RangeFold total, CancellationToken cancellationToken)
    {
        var aggregate = new double[total.Range.Count];
        total.CopySum(aggregate);
        if (source.Contributions.Decision!.Previous is not 0 and var weight)
        {
            var round = await RobustRound.OpenAsync(store, rounds, models, source.Plan, cancellationToken);
            WeightedMean.Accumulate(await round.ReadPreviousAsync(total.Range.Start, total.Range.Count, cancellationToken), weight, aggregate);
        }

        return aggregate;
    }

    /// <summary>One level, many clients: every chunk from zero, then added, as two levels would.</summary>
    private async Task FoldAsync(Source source, RangeFold total, SolverChanges? changes, CancellationToken cancellationToken)
    {
        var updates = Updates(source, total.Range);
        var part = new RangeFold(source.Shape, total.Range);
        var sum = new double[total.Range.Count];
        for (var chunk = 0; chunk < source.Chunks; chunk++)
        {
            var (first, count) = source.Clients(chunk);
            part.Restart();
            await RangeFold.AddAsync(Folds(part, changes), updates, first, count, cancellationToken);
            part.CopySum(sum);
            total.Join(sum, part.Weight);
            changes?.EndChunk();
        }
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

    /// <summary>The maximum of the parent's integers and the clients'.</summary>
    private async Task ReduceIntegersAsync(Source source, CancellationToken cancellationToken)
    {
        var fold = new IntegerFold(source.Shape);
        await models.ReadIntegersAsync(source.Plan.Base, fold.Maximum, cancellationToken);
        if (source.Levels == 1)
        {
            await fold.AddAsync(Updates(source, default), 0, source.Count, cancellationToken);
        }
        else
        {
            var partials = new PartialSums(store, source.Plan);
            for (var chunk = 0; chunk < source.Chunks; chunk++)
            {
                var partial = new PartialSum(PartialSum.Integers, chunk, fold.Maximum.Length, source.Contributions.Digest);
                Expect(await partials.TryReadAsync(partial, (values, _) => fold.Add(MemoryMarshal.Cast<byte, long>(values)), cancellationToken), partial);
            }
        }

        await store.PutBytesAsync(
            SliceNames.Integers(source.Plan.Run, source.Plan.Round), MemoryMarshal.AsBytes(fold.Maximum.AsSpan()).ToArray(), PutCondition.CreateOnce,
            cancellationToken);
    }

    private AcceptedUpdates Updates(Source source, ShardRange range) => new(store, rounds, source.Plan, source.Shape, source.Contributions.For(range));

    private static void Expect(bool isThere, PartialSum partial)
    {
        if (!isThere)
        {
            throw new InvalidDataException($"The partial sum of shard {partial.Shard}, chunk {partial.Chunk} was folded and is gone.");
        }
    }

    /// <summary>What a shard is made of.</summary>
    private sealed record Source(RoundPlan Plan, UpdateShape Shape, RoundContributions Contributions)
    {
        public int Count => Contributions.Updates.Count;

        public int Levels => RoundTasks.Of(Plan, Count).Levels;

        public int Chunks => RoundTasks.Of(Plan, Count).Chunks(Count);

        public (int First, int Count) Clients(int chunk) => ClientChunks.Range(chunk, Count, RoundTasks.Of(Plan, Count).ChunkClients);
    }
}
