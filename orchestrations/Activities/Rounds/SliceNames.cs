using FedServerless.Activities.State;

namespace FedServerless.Activities.Rounds;

/// <summary>The slices that reduction leaves and publishing streams together: little-endian values, no header.</summary>
internal static class SliceNames
{
    public static string Weights(string run, int round, int shard) => StoreNames.Slice(run, round, shard, "weights");

    public static string State(string run, int round, int shard, string tensor) => StoreNames.Slice(run, round, shard, $"state-{tensor}");

    public static string SolverSum(string run, int round, int shard) => StoreNames.Slice(run, round, shard, "solver");

    /// <summary>What a chunk of clients came to, between the two levels of a reduction; see <see cref="PartialSum"/>.</summary>
    public static string Partial(string run, int round, int shard, int chunk) => shard switch
    {
        PartialSum.Integers => StoreNames.Slice(run, round, 0, $"integers-chunk{chunk:D6}"),
        <= PartialSum.Memory => StoreNames.Slice(run, round, PartialSum.Memory - shard, $"solver-chunk{chunk:D6}"),
        PartialSum.Gram => StoreNames.Slice(run, round, 0, $"gram-block{chunk:D6}"),
        _ => StoreNames.Slice(run, round, shard, $"chunk{chunk:D6}"),
    };

    public static string Integers(string run, int round) => StoreNames.Slice(run, round, 0, "integers");
}
