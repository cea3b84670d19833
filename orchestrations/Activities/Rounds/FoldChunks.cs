using System.Runtime.InteropServices;
using FedServerless.Activities.State;
using FedServerless.Aggregation;
using FedServerless.Storage;
using FedServerless.Wire.Updates;
using FedServerless.Workflows.Engine;
using FedServerless.Workflows.Rounds;

namespace FedServerless.Activities.Rounds;

/// <summary>
/// Step 8, the first of two levels: some chunks of clients over one coordinate range, each folded from zero and kept by itself, so
/// that <see cref="ReduceShard"/> adds them in the order in which it would have added them had it done all alone. Shard 0 takes the
/// integers along.
/// </summary>
internal sealed class FoldChunks(IObjectStore store, RoundReader rounds) : IActivity<FoldInput, int>
{
    public async Task<int> RunAsync(FoldInput input, CancellationToken cancellationToken)
    {
        var plan = (await rounds.PlanAsync(input.Run, input.Round, cancellationToken)).Value;
        var accepted = await rounds.ContributionsAsync(plan, cancellationToken);
        var count = accepted.Updates.Count;
        var task = RoundTasks.Fold(plan, count, input.Task);
        if (await store.HeadAsync(SliceNames.Weights(input.Run, input.Round, task.Shard), cancellationToken) is not null
            || await rounds.IsOverAsync(input.Run, input.Round, cancellationToken))
        {
            return 0;
        }

        var shape = await rounds.ShapeAsync(plan, cancellationToken);
        var partials = new PartialSums(store, plan);
        if (plan.Privacy is not null)
        {
            return await FoldOntoGridAsync(plan, shape, accepted, task, partials, cancellationToken);
        }

        var fold = new RangeFold(shape, RoundGeometry.Range(plan, task.Shard));
        var updates = new AcceptedUpdates(store, rounds, plan, shape, accepted.For(fold.Range));
        var changes = SolverChanges.Of(plan, shape, fold.Range)?.Chunk;
        var integers = task.Shard == 0 && shape.Layout.IntegerCount > 0 ? new IntegerFold(shape) : null;
        for (var chunk = task.FirstChunk; chunk < task.FirstChunk + task.Chunks; chunk++)
        {
            var clients = ClientChunks.Range(chunk, count, RoundTasks.Of(plan, count).ChunkClients);
            await FoldAsync(chunk, clients);
            if (integers is not null)
            {
                await TakeAsync(integers, new PartialSum(PartialSum.Integers, chunk, integers.Maximum.Length, accepted.Digest), clients);
            }
        }

        return task.Chunks;

        async Task FoldAsync(int chunk, (int First, int Count) clients)
        {
            List<(RangeFold Fold, PartialSum Partial)> wanted = [];
            await WantAsync(fold, new PartialSum(task.Shard, chunk, fold.Range.Count, accepted.Digest));
            await WantAsync(changes, SolverChanges.Partial(task.Shard, chunk, fold.Range.Count, accepted.Digest));
            await RangeFold.AddAsync([.. wanted.Select(one => one.Fold)], updates, clients.First, clients.Count, cancellationToken);
            foreach (var (sums, partial) in wanted)
            {
                await partials.WriteAsync(partial, sums.Weight, values => sums.CopySum(MemoryMarshal.Cast<byte, double>(values)), cancellationToken);
            }

            async Task WantAsync(RangeFold? sums, PartialSum partial)
            {
                if (sums is not null && partial.Count > 0 && !await partials.HasAsync(partial, cancellationToken))
                {
                    sums.Restart();
                    wanted.Add((sums, partial));
                }
            }
        }

        async Task TakeAsync(IntegerFold maxima, PartialSum partial, (int First, int Count) clients)
        {
            if (await partials.HasAsync(partial, cancellationToken))
            {
                return;
            }

            maxima.Restart();
            await maxima.AddAsync(updates, clients.First, clients.Count, cancellationToken);
            await partials.WriteAsync(partial, 0, values => MemoryMarshal.AsBytes(maxima.Maximum.AsSpan()).CopyTo(values), cancellationToken);
        }
    }

    private async Task<int> FoldOntoGridAsync(
        RoundPlan plan, UpdateShape shape, RoundContributions accepted, (int Shard, int FirstChunk, int Chunks) task, PartialSums partials,
        CancellationToken cancellationToken)
    {
        var fold = new GridFold(shape, RoundGeometry.Range(plan, task.Shard));
        var count = accepted.Updates.Count;
        var updates = new AcceptedUpdates(store, rounds, plan, shape, accepted.Updates);
        for (var chunk = task.FirstChunk; chunk < task.FirstChunk + task.Chunks; chunk++)
        {
            var partial = new PartialSum(task.Shard, chunk, fold.Sums.Length, accepted.Digest);
            if (partial.Count == 0 || await partials.HasAsync(partial, cancellationToken))
            {
                continue;
            }

            var (first, clients) = ClientChunks.Range(chunk, count, RoundTasks.Of(plan, count).ChunkClients);
            fold.Restart();
            await fold.AddAsync(updates, accepted.Updates, first, clients, cancellationToken);
            await partials.WriteAsync(partial, 0, values => MemoryMarshal.AsBytes(fold.Sums.AsSpan()).CopyTo(values), cancellationToken);
            if (await rounds.IsOverAsync(plan.Run, plan.Round, cancellationToken))
            {
                // Un-noised, and the close that removes such sums may be past: this copy of the work came late.
                await partials.DeleteAsync(partial, cancellationToken);
                return 0;
            }
        }

        return task.Chunks;
    }
}
