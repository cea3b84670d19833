using FedServerless.Capacity;
using FedServerless.Model;

namespace FedServerless.Activities.State;

/// <summary>
/// How a model is cut for map-reduce: shards of parameters first, then shards of buffers, so that each begins where an update's
/// block begins. The cut is chosen once, in the plan; the result's bytes do not depend on it.
/// </summary>
public static class RoundGeometry
{
    /// <summary>Fixed super-block, in coordinates, to which every shard and every partial sum aligns.</summary>
    public const long SuperBlock = ShardLayout.SuperBlock;

    /// <summary>Number of shards of a round; at least 1.</summary>
    public static int ShardCount(RoundPlan plan) => ShardLayout.Count(plan.Parameters, plan.Buffers, plan.ShardCoordinates);

    /// <summary>Shards of parameters, the first ones; 0 for a model without any.</summary>
    public static int ParameterShards(RoundPlan plan) => (int)ShardLayout.Of(plan.Parameters, plan.ShardCoordinates);

    /// <summary>The layout of the sum that a solver remembers: one tensor of the model's parameters.</summary>
    public static TensorLayout SumLayout(RoundPlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        return TensorLayout.Create([new TensorSpec("sum", [(int)plan.Parameters], TensorRole.Parameter)]);
    }

    /// <summary>The flat float32 range that a shard reduces; empty for a model without float32 values.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The round has no such shard.</exception>
    public static ShardRange Range(RoundPlan plan, int shard)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(shard);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(shard, ShardCount(plan));
        var parameterShards = ShardLayout.Of(plan.Parameters, plan.ShardCoordinates);
        var isBuffers = shard >= parameterShards;
        var local = (shard - (isBuffers ? parameterShards : 0)) * plan.ShardCoordinates;
        var section = isBuffers ? plan.Buffers : plan.Parameters;
        var start = local + (isBuffers ? plan.Parameters : 0);
        return new ShardRange(start, (int)Math.Max(0, Math.Min(plan.ShardCoordinates, section - local)), isBuffers);
    }
}

/// <summary>A shard's flat float32 range.</summary>
/// <param name="Start">Position of the first value.</param>
/// <param name="Count">How many.</param>
/// <param name="IsBuffers">True for buffers, false for parameters.</param>
public readonly record struct ShardRange(long Start, int Count, bool IsBuffers);
