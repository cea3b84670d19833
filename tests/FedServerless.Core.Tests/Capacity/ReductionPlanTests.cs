using FedServerless.Aggregation;
using FedServerless.Capacity;
using FedServerless.Compression;
using FedServerless.Model;
using FedServerless.Wire.Updates;

namespace FedServerless.Core.Tests.Capacity;

public sealed class ReductionPlanTests
{
    private const int PartBytes = 4 << 20;

    [Fact]
    public void Choose_FoldAtTheBudget_IsOneLevelAndOneClientMoreIsTwo()
    {
        // A full float32 shard: 1 MiB a client at 60 MB/s, so 180 s are 10 299 clients.
        var size = Size(parameters: 262_144, clients: 10_299);

        Assert.Equal(1, ReductionPlan.Choose(size).Levels);
        Assert.Equal(2, ReductionPlan.Choose(size with { Clients = 10_300 }).Levels);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Choose_OperatorsChoice_Stands(int levels) =>
        Assert.Equal(levels, ReductionPlan.Choose(Size(1000, 10), levels).Levels);

    [Theory]
    [InlineData(10, 100_000)]
    [InlineData(10_000, 1_000_000)]
    [InlineData(100_000, 100_000_000)]
    [InlineData(1_000_000, 1_000)]
    public void Choose_AnySize_KeepsEveryActivityWithinTheLimit(int clients, int parameters)
    {
        var size = Size(parameters, clients);
        var plan = ReductionPlan.Choose(size);

        var folded = plan.Levels == 1 ? clients : plan.ChunksPerTask * ClientChunks.Size;
        Assert.InRange(ReductionPlan.FoldSeconds(size, Math.Min(folded, clients)), 0, CapacityModel.ActivityLimitSeconds);
        Assert.InRange(plan.ValidationClients * ReductionPlan.ValidationSeconds(size), 0, CapacityModel.ActivityLimitSeconds);
        Assert.InRange(plan.ChunksPerTask, 1, plan.Chunks(clients));
        Assert.True((long)plan.Validations(clients) * plan.ValidationClients >= clients);
    }

    [Fact]
    public void Choose_CohortAtTheBorder_IsCleanedAtCloseAndOneMoreByActivities()
    {
        Assert.Equal(0, ReductionPlan.Choose(Size(1000, ReductionPlan.MaxCleanedAtClose)).CleanTasks);
        Assert.Equal(64, ReductionPlan.Choose(Size(1000, ReductionPlan.MaxCleanedAtClose + 1)).CleanTasks);
    }

    [Fact]
    public void Of_PartsThatCutAShard_CountsItsReads()
    {
        // 9 blocks of 256 KiB in parts of 1 MiB: blocks 0-3, 4-7 and 8. Shards of 4 blocks: one read each, as parts do not cut them.
        var shape = Shape(9 * 65_536);
        var size = RoundSize.Of(shape, 1 << 20, ShardLayout.SuperBlock, 1);
        Assert.Equal((3, 3, 1, 3, 1L << 20), (size.Parts, size.Shards, size.ShardReads, size.AllShardReads, size.ShardBytes));

        // Parts of three blocks cut the second shard (blocks 4-7) between 5 and 6, the first between 2 and 3.
        size = RoundSize.Of(shape, 3 * 65_536 * 4, ShardLayout.SuperBlock, 1);
        Assert.Equal((3, 2, 5), (size.Parts, size.ShardReads, size.AllShardReads));
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 1)]
    [InlineData(1024, 1)]
    [InlineData(1025, 2)]
    [InlineData(int.MaxValue, 2_097_152)]
    public void Count_Clients_AreCutAfterEachChunk(int clients, int chunks) => Assert.Equal(chunks, ClientChunks.Count(clients, ClientChunks.Size));

    [Fact]
    public void Range_LastChunk_HasTheRest()
    {
        Assert.Equal((1024, 6), ClientChunks.Range(1, 1030, ClientChunks.Size));
        Assert.Equal((0, 1030), ClientChunks.Range(0, 1030, int.MaxValue));
        Assert.Throws<ArgumentOutOfRangeException>(() => ClientChunks.Range(2, 1030, ClientChunks.Size));
    }

    private static RoundSize Size(int parameters, int clients) => RoundSize.Of(Shape(parameters), PartBytes, ShardLayout.Coordinates(parameters), clients);

    private static UpdateShape Shape(int parameters) => UpdateShape.Create(
        TensorLayout.Create([new TensorSpec("w", [parameters], TensorRole.Parameter)]), UpdateCodecs.All.Get(UpdateCodecs.Float32), 65_536);
}
