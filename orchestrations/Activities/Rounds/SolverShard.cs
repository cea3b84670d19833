using System.Runtime.InteropServices;
using FedServerless.Activities.Models;
using FedServerless.Activities.State;
using FedServerless.Optimization;
using FedServerless.Storage;

namespace FedServerless.Activities.Rounds;

/// <summary>One coordinate range of the sum that a solver with memory keeps. Nothing for other solvers.</summary>
internal sealed class SolverShard(IObjectStore store, ModelCatalog models)
{
    /// <summary>Writes the range's new sum, and corrects the aggregate where the solver does; false when a value is not finite.</summary>
    /// <param name="plan">The round.</param>
    /// <param name="shard">Which.</param>
    /// <param name="changes">What it changes by, over all included updates; null for other solvers.</param>
    /// <param name="included">Updates in them.</param>
    /// <param name="aggregate">The range's aggregate.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public async Task<bool> TryAdvanceAsync(
        RoundPlan plan, int shard, SolverChanges? changes, int included, double[] aggregate, CancellationToken cancellationToken)
    {
        if (changes is null || plan.Solver is not { } memory)
        {
            return true;
        }

        var sum = new float[changes.Range.Count];
        if (memory.Sum is { } stored)
        {
            await models.ReadFloatsAsync(stored, changes.Range.Start, sum, cancellationToken);
        }

        if (!LocalSolvers.Create(plan.Training).TryAdvance(sum, changes.Values, included, memory.Clients, sum, aggregate))
        {
            return false;
        }

        await store.PutBytesAsync(
            SliceNames.SolverSum(plan.Run, plan.Round, shard), MemoryMarshal.AsBytes(sum.AsSpan()).ToArray(), PutCondition.CreateOnce, cancellationToken);
        return true;
    }
}
