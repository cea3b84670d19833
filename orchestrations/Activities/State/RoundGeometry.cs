using FedServerless.Workflows.Engine;

namespace FedServerless.Activities.State;

/// <summary>How a model is cut for map-reduce.</summary>
public static class RoundGeometry
{
    /// <summary>Fixed super-block, in coordinates, to which every shard and every partial sum aligns.</summary>
    public const long SuperBlock = 262_144;

    /// <summary>
    /// Coordinates a shard has: one super-block, or as many as keep the fan-out within
    /// <see cref="WorkflowLimits.MaxFanOut"/>. Chosen once, in the plan; the result's bytes do not depend on it.
    /// </summary>
    public static long ShardCoordinates(long floats)
    {
        var superBlocks = Math.Max(1, (floats + SuperBlock - 1) / SuperBlock);
        return SuperBlock * ((superBlocks + WorkflowLimits.MaxFanOut - 1) / WorkflowLimits.MaxFanOut);
    }

    /// <summary>Number of shards of a vector; 1 for an empty one.</summary>
    public static int ShardCount(long floats, long shardCoordinates) =>
        (int)Math.Max(1, (floats + shardCoordinates - 1) / shardCoordinates);
}
