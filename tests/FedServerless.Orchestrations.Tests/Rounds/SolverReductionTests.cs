using FedServerless.Activities.State;
using FedServerless.Capacity;
using FedServerless.Optimization;
using FedServerless.Storage;
using FedServerless.Testing.Federation;
using FedServerless.Testing.Storage;
using FedServerless.Wire;
using static FedServerless.Orchestrations.Tests.Rounds.SolverRoundTests;

namespace FedServerless.Orchestrations.Tests.Rounds;

/// <summary>One level, two levels, any cut, any repetition: the same sum of the clients' vectors, from one reading of the updates.</summary>
public sealed class SolverReductionTests
{
    private const float Large = (float)(1L << 35) * (1L << 35);

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public async Task RunAsync_AnyShardSize_KeepsTheSameBytes(int superBlocks)
    {
        var reference = await PublishAsync(null);

        Assert.Equal(reference, await PublishAsync(superBlocks * RoundGeometry.SuperBlock));

        static async Task<byte[]> PublishAsync(long? shardCoordinates)
        {
            var disk = await MakeDiskAsync(Spec(LocalSolvers.FedDyn, 1) with { Architecture = null, Update = new UpdateSpec() }, Models.Large(parameters: 300_001, buffers: 3));
            await using var federation = new SimulatedFederation(disk, new SimulatedClients(disk, 3));
            if (shardCoordinates is { } wanted)
            {
                await Plans.ReplaceAsync(federation, plan => plan with { ShardCoordinates = wanted });
            }

            var outcome = await federation.RunRoundAsync();
            return [.. disk.Peek(StoreNames.Weights("digits", outcome.Version!))!, .. disk.Peek(StoreNames.SolverSum("digits", outcome.Version!))!];
        }
    }

    // Values whose sum depends on the order of addition: 2⁷⁰ and its negative beside small ones.
    [Theory]
    [InlineData(LocalSolvers.Scaffold, 1, Repeat.Never)]
    [InlineData(LocalSolvers.Scaffold, 3, Repeat.AtOnce)]
    [InlineData(LocalSolvers.FedDyn, 2, Repeat.InSequence)]
    public async Task RunAsync_TwoLevels_KeepsTheBytesOfOne(string solver, int chunksPerTask, Repeat repeat)
    {
        var one = await PublishAsync(solver, reduction => reduction with { ChunkClients = 8, Levels = 1 }, Repeat.Never);

        Assert.Equal(one, await PublishAsync(solver, reduction => reduction with { ChunkClients = 8, Levels = 2, ChunksPerTask = chunksPerTask }, repeat));
        Assert.NotEqual(one, await PublishAsync(solver, reduction => reduction with { ChunkClients = 64, Levels = 1 }, repeat));
    }

    // A host of before folded the mean alone, and was replaced in the middle of the round.
    [Fact]
    public async Task RunAsync_TwoLevelsWithoutTheMemorysPartialSums_KeepsTheBytes()
    {
        static ReductionPlan Two(ReductionPlan reduction) => reduction with { ChunkClients = 8, Levels = 2 };

        var expected = await PublishAsync(LocalSolvers.Scaffold, Two, Repeat.Never);

        Assert.Equal(
            expected,
            await PublishAsync(LocalSolvers.Scaffold, Two, Repeat.Never, disk => new BlindStore(disk, name => name.Contains("solver-chunk", StringComparison.Ordinal))));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task RunAsync_AnyLevels_ReadsUpdatesAsOftenAsWithoutAMemory(int levels)
    {
        Assert.Equal(await ReadsAsync(LocalSolvers.Sgd), await ReadsAsync(LocalSolvers.Scaffold));

        async Task<int> ReadsAsync(string solver)
        {
            CountingStore? counting = null;
            await PublishAsync(solver, reduction => reduction with { ChunkClients = 8, Levels = levels }, Repeat.Never, disk => counting = new CountingStore(disk));
            var reads = counting!.Reads.Where(read => read.Key.StartsWith("updates/", StringComparison.Ordinal)).Sum(read => read.Value);
            Assert.True(reads > 60);
            return reads;
        }
    }

    /// <returns>The weights of the version, and its solver's sum where it has one.</returns>
    private static async Task<byte[]> PublishAsync(
        string solver, Func<ReductionPlan, ReductionPlan> change, Repeat repeat, Func<InMemoryObjectStore, IObjectStore>? wrap = null)
    {
        var disk = await MakeDiskAsync(Spec(solver, 1));
        var clients = new SimulatedClients(disk, 60) { Deltas = Steep };
        await using var federation = new SimulatedFederation(disk, clients, wrap?.Invoke(disk), repeat: repeat);
        await Plans.ReplaceAsync(federation, plan => plan with { Reduction = change(plan.Reduction!) });
        var outcome = await federation.RunRoundAsync();
        return [.. disk.Peek(StoreNames.Weights("digits", outcome.Version!))!, .. disk.Peek(StoreNames.SolverSum("digits", outcome.Version!)) ?? []];
    }

    private static float[] Steep(RoundPlan plan, string client, long parameters)
    {
        var number = int.Parse(client[^3..], null);
        return [.. Enumerable.Range(0, (int)parameters).Select(i => (i + number) % 3 == 0 ? number % 2 == 0 ? Large : -Large : ((number * 7919) + i) % 1000 / 7f)];
    }
}
