using FedServerless.Activities.State;
using FedServerless.Optimization;
using FedServerless.Wire;
using FedServerless.Wire.Updates;

namespace FedServerless.Activities.Rounds;

/// <summary>
/// What a solver's memory changes by in one coordinate range: <c>Σ ChangeFactor(stepsᵢ)·Δᵢ</c> over the included updates as decoded, chunk by chunk of
/// clients like every sum, so in one level or two. It is folded beside the mean, from the same reading of the updates.
/// </summary>
internal sealed class SolverChanges
{
    private readonly double[] _chunk;

    private SolverChanges(ILocalSolver solver, UpdateShape shape, ShardRange range)
    {
        // Factors are negative and weights are not, hence the signs.
        Chunk = new RangeFold(shape, range, update => -solver.ChangeFactor(update.Steps ?? 1));
        Values = new double[range.Count];
        _chunk = new double[range.Count];
    }

    /// <summary>One chunk of clients, with the signs turned.</summary>
    public RangeFold Chunk { get; }

    /// <summary>All chunks so far.</summary>
    public double[] Values { get; }

    public ShardRange Range => Chunk.Range;

    /// <summary>Null for a range, or a solver, that remembers nothing.</summary>
    public static SolverChanges? Of(RoundPlan plan, UpdateShape shape, ShardRange range) =>
        plan.Solver is null || range.IsBuffers || range.Count == 0 ? null : new SolverChanges(LocalSolvers.Create(plan.Training), shape, range);

    /// <summary>Where a chunk lies between the two levels of a reduction.</summary>
    public static PartialSum Partial(int shard, int chunk, int count, Digest accepted) => new(PartialSum.Memory - shard, chunk, count, accepted);

    /// <summary>Takes up the chunk that was folded, and begins another.</summary>
    public void EndChunk()
    {
        Chunk.CopySum(_chunk);
        Join(_chunk);
        Chunk.Restart();
    }

    /// <summary>Takes up a chunk that was folded elsewhere.</summary>
    public void Join(ReadOnlySpan<double> chunk)
    {
        for (var i = 0; i < Values.Length; i++)
        {
            Values[i] -= chunk[i];
        }
    }
}
