using System.Runtime.InteropServices;
using FedServerless.Activities.Models;
using FedServerless.Activities.State;
using FedServerless.Aggregation;
using FedServerless.Optimization;
using FedServerless.Storage;
using FedServerless.Wire.Updates;

namespace FedServerless.Activities.Rounds;

/// <summary>
/// One coordinate range of the sum that a solver with memory keeps: changed by what every included client's vector changes by, worked out from the
/// updates as decoded. Nothing for other solvers.
/// </summary>
internal sealed class SolverShard(IObjectStore store, RoundReader rounds, ModelCatalog models)
{
    /// <summary>Writes the range's new sum, and corrects the aggregate where the solver does; false when a value is not finite.</summary>
    public async Task<bool> TryAdvanceAsync(
        RoundPlan plan, UpdateShape shape, RoundContributions contributions, int shard, ShardRange range, double[] aggregate,
        CancellationToken cancellationToken)
    {
        if (plan.Solver is not { } memory)
        {
            return true;
        }

        var solver = LocalSolvers.Create(plan.Training);
        var sum = new float[range.Count];
        if (memory.Sum is { } stored)
        {
            await models.ReadFloatsAsync(stored, range.Start, sum, cancellationToken);
        }

        var changes = await ChangesAsync(plan, shape, contributions, solver, range, cancellationToken);
        if (!solver.TryAdvance(sum, changes, contributions.Updates.Count, memory.Clients, sum, aggregate))
        {
            return false;
        }

        await store.PutBytesAsync(
            SliceNames.SolverSum(plan.Run, plan.Round, shard), MemoryMarshal.AsBytes(sum.AsSpan()).ToArray(), PutCondition.CreateOnce, cancellationToken);
        return true;
    }

    /// <summary>
    /// <c>Σ ChangeFactor(stepsᵢ)·Δᵢ</c>, chunk by chunk of clients like every sum, in this activity even where the mean has two levels: the weights are
    /// others. Factors are negative and weights are not, hence the signs.
    /// </summary>
    private async Task<double[]> ChangesAsync(
        RoundPlan plan, UpdateShape shape, RoundContributions contributions, ILocalSolver solver, ShardRange range, CancellationToken cancellationToken)
    {
        var weighted = contributions.Updates.Select(update => update with { Weight = -solver.ChangeFactor(update.Steps ?? 1) }).ToArray();
        var updates = new AcceptedUpdates(store, rounds, plan, shape, weighted);
        var part = new RangeFold(shape, range);
        var sum = new double[range.Count];
        var changes = new double[range.Count];
        var size = RoundTasks.Of(plan, weighted.Length).ChunkClients;
        for (var chunk = 0; chunk * size < weighted.Length; chunk++)
        {
            var (first, count) = ClientChunks.Range(chunk, weighted.Length, size);
            part.Restart();
            await part.AddAsync(updates, first, count, cancellationToken);
            part.CopySum(sum);
            for (var i = 0; i < changes.Length; i++)
            {
                changes[i] -= sum[i];
            }
        }

        return changes;
    }
}
