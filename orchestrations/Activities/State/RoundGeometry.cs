using FedServerless.Workflows.Engine;

namespace FedServerless.Activities.State;

/// <summary>
/// How a model is cut for map-reduce: shards of parameters first, then shards of buffers, so that each begins where an update's
/// block begins. The cut is chosen once, in the plan; the result's bytes do not depend on it.
/// </summary>
public static class RoundGeometry
{
    /// <summary>Fixed super-block, in coordinates, to which every shard and every partial sum aligns.</summary>
    public const long SuperBlock = 262_144;

    // Parameters and buffers are cut apart, so either may have a shard that is not full.
    private const int MaxFullShards = WorkflowLimits.MaxFanOut - 2;

    /// <summary>Coordinates a shard has: one super-block, or as many as keep the fan-out within <see cref="WorkflowLimits.MaxFanOut"/>.</summary>
    public static long ShardCoordinates(long floats)
    {
        var superBlocks = (floats + SuperBlock - 1) / SuperBlock;
        return SuperBlock * Math.Max(1, (superBlocks + MaxFullShards - 1) / MaxFullShards);
    }

    /// <summary>Number of shards of a round; at least 1.</summary>
    public static int ShardCount(RoundPlan plan) => (int)Math.Max(1, Shards(plan, plan.Parameters) + Shards(plan, plan.Buffers));

    /// <summary>The flat float32 range that a shard reduces; empty for a model without float32 values.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The round has no such shard.</exception>
    public static ShardRange Range(RoundPlan plan, int shard)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(shard);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(shard, ShardCount(plan));
        var parameterShards = Shards(plan, plan.Parameters);
        var isBuffers = shard >= parameterShards;
        var local = (shard - (isBuffers ? parameterShards : 0)) * plan.ShardCoordinates;
        var section = isBuffers ? plan.Buffers : plan.Parameters;
        var start = local + (isBuffers ? plan.Parameters : 0);
        return new ShardRange(start, (int)Math.Max(0, Math.Min(plan.ShardCoordinates, section - local)), isBuffers);
    }

    private static long Shards(RoundPlan plan, long floats) => (floats + plan.ShardCoordinates - 1) / plan.ShardCoordinates;
}

/// <summary>A shard's flat float32 range.</summary>
/// <param name="Start">Position of the first value.</param>
/// <param name="Count">How many.</param>
/// <param name="IsBuffers">True for buffers, false for parameters.</param>
public readonly record struct ShardRange(long Start, int Count, bool IsBuffers);
