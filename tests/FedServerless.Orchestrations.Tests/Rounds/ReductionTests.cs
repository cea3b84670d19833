using FedServerless.Activities.State;
using FedServerless.Capacity;
using FedServerless.Model;
using FedServerless.Numerics;
using FedServerless.Storage;
using FedServerless.Testing.Federation;
using FedServerless.Testing.Storage;
using FedServerless.Wire;
using FedServerless.Workflows.Rounds;

namespace FedServerless.Orchestrations.Tests.Rounds;

/// <summary>One level, two levels, any cut, any repetition: the same bytes.</summary>
public sealed class ReductionTests
{
    /// <summary>
    /// Plus or minus 2⁷⁰, which cancel, and some 2²⁰, whose low bits are lost next to it: what is left tells one order of addition
    /// from another, in float32 too.
    /// </summary>
    private static readonly Func<RoundPlan, string, long, float[]> Steep = (plan, client, parameters) =>
    {
        var random = DeterministicRandom.Derive(plan.Seed, "steep", client);
        var large = (client[^1] - '0') % 2 == 0 ? Large : -Large;
        var deltas = new float[parameters];
        for (var i = 0; i < deltas.Length; i++)
        {
            deltas[i] = random.NextDouble() < 0.5 ? large : (float)(random.NextDouble() * (1 << 20));
        }

        return deltas;
    };

    private const float Large = (float)(1L << 35) * (1L << 35);

    private static ModelState Model { get; } = Mixed();

    // PITFALLS 38: in client-id order, whoever came first.
    [Theory]
    [InlineData(1023)]
    [InlineData(1024)]
    [InlineData(1025)]
    [InlineData(3000)]
    public async Task RunRoundAsync_ManyClients_PublishesTheSumsOfChunksInEitherNumberOfLevels(int clients)
    {
        var one = await PublishAsync(clients, reduction => reduction with { Levels = 1 });
        var two = await PublishAsync(clients, reduction => reduction with { Levels = 2 });

        // Worked out again one coordinate at a time, by none of the product's kernels.
        Assert.Equal(one.Expected.Values, one.Served.Values);
        Assert.Equal(one.Expected.Integers, one.Served.Integers);
        Assert.Equal(one.Weights, two.Weights);
        Assert.Equal(one.Optimizer, two.Optimizer);
    }

    [Fact]
    public async Task RunRoundAsync_PlanFromBeforeThereWereChunks_FoldsTheCohortInOneGo()
    {
        var chunked = await PublishAsync(1100, reduction => reduction);
        var former = await PublishAsync(1100, _ => null);

        // Also shows that the values above tell one order of addition from another.
        Assert.NotEqual(chunked.Weights, former.Weights);
    }

    [Fact]
    public async Task RunRoundAsync_ASmallCohort_HasTheBytesItHadBeforeThereWereChunks()
    {
        var chunked = await PublishAsync(40, reduction => reduction with { Levels = 2 });
        var former = await PublishAsync(40, _ => null);

        Assert.Equal(former.Weights, chunked.Weights);
    }

    [Theory]
    [InlineData(1, Repeat.InSequence)]
    [InlineData(2, Repeat.AtOnce)]
    [InlineData(3, Repeat.InSequence)]
    public async Task RunRoundAsync_AnyChunksToATaskAndEveryActivityTwice_ChangesNoByte(int chunksPerTask, Repeat repeat)
    {
        // Small chunks, so that a small cohort has many; both sides have the same, as a constant of the format would be.
        var one = await PublishAsync(60, reduction => reduction with { ChunkClients = 8, Levels = 1 });

        var two = await PublishAsync(60, reduction => reduction with { ChunkClients = 8, Levels = 2, ChunksPerTask = chunksPerTask }, repeat);

        Assert.Equal(one.Weights, two.Weights);
        Assert.Equal(one.Optimizer, two.Optimizer);
    }

    [Fact]
    public async Task RunRoundAsync_ManyTasks_GoToWorkflowsBelowTheRound()
    {
        var disk = new InMemoryObjectStore();
        await using var federation = new SimulatedFederation(disk, new SimulatedClients(disk, 400));
        await SimulatedFederation.CreateAsync(disk, SimulatedFederation.Spec() with { RetainUpdates = false });
        await Plans.ReplaceAsync(
            federation, plan => plan with { Reduction = plan.Reduction! with { ChunkClients = 2, Levels = 2, ChunksPerTask = 1, ValidationClients = 2, CleanTasks = 256 } });

        var outcome = await federation.RunRoundAsync();

        Assert.Equal(RoundOutcomeKind.Published, outcome.Kind);
        var instances = Enum.GetValues<RoundStage>().SelectMany(stage => RoundStages.InstanceIds("run~r000001", stage, stage is RoundStage.Reduce or RoundStage.Measure ? 1 : 200));
        foreach (var instance in instances)
        {
            Assert.NotNull(await federation.Environment.Client.GetStatusAsync(instance, CancellationToken.None));
        }

        Assert.Equal(["run~r000001~v000000", "run~r000001~c000000", "run~r000001~d000000"], instances);
        Assert.DoesNotContain(disk.Names, name => name.StartsWith("updates/", StringComparison.Ordinal) || name.Contains("/slices/", StringComparison.Ordinal));
    }

    [Fact]
    public async Task ReduceShard_APartialSumThatWasChanged_IsRefused()
    {
        var disk = new InMemoryObjectStore();
        await using var federation = new SimulatedFederation(disk, new SimulatedClients(disk, 5));
        await SimulatedFederation.CreateAsync(disk, SimulatedFederation.Spec());
        await Plans.ReplaceAsync(federation, plan => plan with { Reduction = plan.Reduction! with { ChunkClients = 2, Levels = 2 } });
        await ToAcceptedAsync(federation);
        for (var task = 0; task < 3; task++)
        {
            await federation.Activities.FoldChunks.RunAsync(new FoldInput(SimulatedFederation.RunId, 1, task), CancellationToken.None);
        }

        var partial = disk.Names.First(name => name.EndsWith("chunk000001", StringComparison.Ordinal));
        var bytes = disk.Peek(partial)!;
        bytes[70] ^= 1;
        await disk.PutBytesAsync(partial, bytes, PutCondition.Overwrite, CancellationToken.None);

        await Assert.ThrowsAsync<InvalidDataException>(
            () => federation.Activities.ReduceShard.RunAsync(new ReduceInput(SimulatedFederation.RunId, 1, 0), CancellationToken.None));
    }

    private static async Task ToAcceptedAsync(SimulatedFederation federation)
    {
        var (round, none) = (new RoundInput(SimulatedFederation.RunId, 1), CancellationToken.None);
        await federation.Activities.OpenRound.RunAsync(round, none);
        await federation.Clients.AnswerAsync(round.Run, round.Round, none);
        var seal = await federation.Activities.SealRound.RunAsync(round, none);
        for (var chunk = 0; chunk < seal.Chunks; chunk++)
        {
            await federation.Activities.ValidateUpdates.RunAsync(new ValidationChunk(round.Run, round.Round, chunk), none);
        }

        await federation.Activities.AcceptUpdates.RunAsync(round, none);
    }

    private static async Task<(byte[] Weights, byte[] Optimizer, ModelState Served, ModelState Expected)> PublishAsync(
        int clients, Func<ReductionPlan, ReductionPlan?> change, Repeat repeat = Repeat.Never)
    {
        var disk = new InMemoryObjectStore();
        await using var federation = new SimulatedFederation(disk, new SimulatedClients(disk, clients) { Deltas = Steep, Samples = _ => 10 }, repeat: repeat);
        await SimulatedFederation.AdoptAsync(disk, "digits", Model);
        await SimulatedFederation.CreateAsync(
            disk, SimulatedFederation.Spec() with { Architecture = null, Optimizer = new OptimizerSpec { Name = "fedavgm" } });
        await Plans.ReplaceAsync(federation, plan => plan with { Reduction = change(plan.Reduction!) });

        var outcome = await federation.RunRoundAsync();

        Assert.Equal(RoundOutcomeKind.Published, outcome.Kind);
        var expected = await Recomputation.OfRoundAsync(disk, federation.Clients, SimulatedFederation.RunId, 1);
        return (
            disk.Peek(StoreNames.Weights("digits", outcome.Version!))!, disk.Peek(StoreNames.OptimizerState("digits", outcome.Version!))!,
            await federation.ServedAsync(), expected);
    }

    private static ModelState Mixed()
    {
        var layout = TensorLayout.Create(
        [
            new TensorSpec("w", [37], TensorRole.Parameter),
            new TensorSpec("running_mean", [5], TensorRole.Buffer),
            new TensorSpec("batches", [3], TensorRole.Integer),
        ]);
        return new ModelState(layout, [.. Enumerable.Range(0, 42).Select(i => i / 7f)], [12, 0, -3]);
    }
}
