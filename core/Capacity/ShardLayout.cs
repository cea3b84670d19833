namespace FedServerless.Capacity;

/// <summary>
/// How a model's coordinates are cut for map-reduce: shards of parameters, then shards of buffers, each beginning at a multiple of
/// a fixed super-block. The result's bytes do not depend on the cut.
/// </summary>
public static class ShardLayout
{
    /// <summary>Coordinates of a super-block, to which every shard and every partial sum aligns.</summary>
    public const long SuperBlock = 262_144;

    // Parameters and buffers are cut apart, so either may have a shard that is not full.
    private const int MaxFullShards = CapacityModel.MaxActivities - 2;

    /// <summary>Coordinates a shard has: one super-block, or as many as keep the shards within <see cref="CapacityModel.MaxActivities"/>.</summary>
    /// <param name="floats">Float32 values of the model.</param>
    public static long Coordinates(long floats)
    {
        var superBlocks = (floats + SuperBlock - 1) / SuperBlock;
        return SuperBlock * Math.Max(1, (superBlocks + MaxFullShards - 1) / MaxFullShards);
    }

    /// <summary>Number of shards, at least 1.</summary>
    /// <param name="parameters">Float32 parameters.</param>
    /// <param name="buffers">Float32 buffer values.</param>
    /// <param name="shardCoordinates">Coordinates of a shard.</param>
    public static int Count(long parameters, long buffers, long shardCoordinates) =>
        (int)Math.Max(1, Of(parameters, shardCoordinates) + Of(buffers, shardCoordinates));

    /// <summary>Shards of one section.</summary>
    /// <param name="floats">Its values.</param>
    /// <param name="shardCoordinates">Coordinates of a shard.</param>
    public static long Of(long floats, long shardCoordinates) => (floats + shardCoordinates - 1) / shardCoordinates;
}
