using FedServerless.Activities.State;
using FedServerless.Storage;
using FedServerless.Testing.Federation;
using FedServerless.Testing.Storage;
using FedServerless.Wire;
using FedServerless.Workflows.Rounds;

namespace FedServerless.Orchestrations.Tests.Rounds;

public sealed class RoundTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(4)] // Updates are folded four at a time.
    [InlineData(5)]
    [InlineData(8)]
    [InlineData(9)]
    public async Task RunAsync_AllAnswer_PublishesExactlyTheWeightedMean(int clients)
    {
        var disk = new InMemoryObjectStore();
        await using var federation = new SimulatedFederation(disk, new SimulatedClients(disk, clients));
        await SimulatedFederation.CreateAsync(disk, SimulatedFederation.Spec(rounds: 2));

        var result = await federation.RunAsync();

        Assert.Equal(RunStates.Completed, result.State);
        var expected = await Recomputation.OfRoundAsync(disk, federation.Clients, SimulatedFederation.RunId, 2);
        Assert.Equal(expected.Values, (await federation.ServedAsync()).Values);
    }

    [Theory]
    [InlineData("float16")]
    [InlineData("int8")]
    public async Task RunAsync_OtherCodec_PublishesTheMeanOfWhatTheServerDecodes(string codec)
    {
        var disk = new InMemoryObjectStore();
        await using var federation = new SimulatedFederation(disk, new SimulatedClients(disk, 3));
        var spec = SimulatedFederation.Spec();
        await SimulatedFederation.CreateAsync(disk, spec with { Update = spec.Update with { Codec = codec } });

        await federation.RunAsync();

        var expected = await Recomputation.OfRoundAsync(disk, federation.Clients, SimulatedFederation.RunId, 1);
        Assert.Equal(expected.Values, (await federation.ServedAsync()).Values);
    }

    // PITFALLS 50: integers are never averaged as floats.
    [Fact]
    public async Task RunAsync_BuffersAndIntegers_TakeMeanAndMaximum()
    {
        var disk = new InMemoryObjectStore();
        await using var federation = new SimulatedFederation(disk, new SimulatedClients(disk, 3));
        await SimulatedFederation.AdoptAsync(disk, "digits", Models.WithBatchNorm());
        await SimulatedFederation.CreateAsync(disk, SimulatedFederation.Spec() with { Architecture = null });

        await federation.RunAsync();

        var served = await federation.ServedAsync();
        var expected = await Recomputation.OfRoundAsync(disk, federation.Clients, SimulatedFederation.RunId, 1);
        Assert.Equal(expected.Values, served.Values);
        Assert.Equal([12 + 12], served.Integers);
        Assert.All(served.Buffers.ToArray(), value => Assert.True(value >= 0));
    }

    // PITFALLS 50: a server optimizer that stepped on running statistics would make variances negative.
    [Theory]
    [InlineData("fedadam")]
    [InlineData("fedavgm")]
    [InlineData("fedyogi")]
    public async Task RunAsync_ServerOptimizer_LeavesBuffersToTheMean(string name)
    {
        var plain = await BuffersAsync(new OptimizerSpec());
        var stepped = await BuffersAsync(new OptimizerSpec { Name = name, LearningRate = 0.5 });

        // Every client halves what it got.
        Assert.Equal(Models.WithBatchNorm().Buffers.ToArray().Select(value => value / 2), stepped.Buffers);
        Assert.Equal(plain.Buffers, stepped.Buffers);
        Assert.NotEqual(plain.Parameters, stepped.Parameters);

        static async Task<(float[] Parameters, float[] Buffers)> BuffersAsync(OptimizerSpec optimizer)
        {
            var disk = new InMemoryObjectStore();
            var clients = new SimulatedClients(disk, 3) { Buffers = (_, buffers) => Array.ConvertAll(buffers, value => value / 2) };
            await using var federation = new SimulatedFederation(disk, clients);
            await SimulatedFederation.AdoptAsync(disk, "digits", Models.WithBatchNorm());
            await SimulatedFederation.CreateAsync(disk, SimulatedFederation.Spec() with { Architecture = null, Optimizer = optimizer });
            await federation.RunAsync();
            var served = await federation.ServedAsync();
            return (served.Parameters.ToArray(), served.Buffers.ToArray());
        }
    }

    // PITFALLS 43, 44: every client always sends ¼, so the second step by hand is ¼·(β₁ + 1) of FedAvgM, and of FedAdam η·m₂/(√v₂ + τ).
    [Theory]
    [InlineData("fedavgm")]
    [InlineData("fedadam")]
    public async Task RunAsync_SecondRound_GoesOnFromTheOptimizersState(string name)
    {
        var disk = new InMemoryObjectStore();
        var clients = new SimulatedClients(disk, 3) { Deltas = (_, _, parameters) => [.. Enumerable.Repeat(0.25f, (int)parameters)] };
        await using var federation = new SimulatedFederation(disk, clients);
        await SimulatedFederation.AdoptAsync(disk, "digits", Models.WithBatchNorm());
        var optimizer = new OptimizerSpec { Name = name, LearningRate = 0.5, Beta1 = 0.9, Beta2 = 0.99, Tau = 0.01 };
        await SimulatedFederation.CreateAsync(disk, SimulatedFederation.Spec(rounds: 2) with { Architecture = null, Optimizer = optimizer });

        await federation.RunAsync();

        const double M1 = 0.1 * 0.25, M2 = (0.9 * M1) + (0.1 * 0.25), Square = 0.25 * 0.25;
        const double V1 = (0.99 * 0.0001) + (0.01 * Square), V2 = (0.99 * V1) + (0.01 * Square);
        var moved = name == "fedavgm"
            ? 0.5 * (0.25 + (0.25 * 1.9))
            : 0.5 * ((M1 / (Math.Sqrt(V1) + 0.01)) + (M2 / (Math.Sqrt(V2) + 0.01)));
        var start = Models.WithBatchNorm().Parameters.ToArray();
        Assert.All(start.Zip((await federation.ServedAsync()).Parameters.ToArray()), pair => Assert.Equal(pair.First + moved, pair.Second, 1e-5));
    }

    // PITFALLS 43: a momentum goes on in a run after it; another optimizer's state means something else.
    [Theory]
    [InlineData("fedavgm", true)]
    [InlineData("fedadam", false)]
    public async Task PlanRound_AnotherRunOnTheModel_TakesTheStateOfItsOwnOptimizerOnly(string name, bool goesOn)
    {
        var disk = new InMemoryObjectStore();
        await using var federation = new SimulatedFederation(disk, new SimulatedClients(disk, 3));
        await SimulatedFederation.CreateAsync(disk, SimulatedFederation.Spec() with { Optimizer = new OptimizerSpec { Name = "fedavgm" } });
        await federation.RunAsync();
        var second = RunDocument.Create("second", SimulatedFederation.Spec() with { Optimizer = new OptimizerSpec { Name = name } });
        await disk.PutAsync(StoreNames.Run("second"), second, StoreJson.Default.RunDocument, PutCondition.CreateOnce, CancellationToken.None);

        await federation.Activities.PlanRound.RunAsync(new RoundInput("second", 1), CancellationToken.None);

        var plan = await disk.GetAsync(StoreNames.Plan("second", 1), StoreJson.Default.RoundPlan, CancellationToken.None);
        Assert.Equal($"{SimulatedFederation.RunId}-r1", plan.Value.BaseVersion);
        Assert.Equal(goesOn, plan.Value.OptimizerState is not null);
    }

    [Theory]
    [InlineData(Repeat.InSequence)]
    [InlineData(Repeat.AtOnce)]
    public async Task RunAsync_EveryActivityTwice_ChangesNoByteAndNoName(Repeat repeat)
    {
        var once = await RunAsync(Repeat.Never);
        var twice = await RunAsync(repeat);

        // What was used is the one thing that differs, and so does the name under which a process keeps it.
        Assert.Equal(once.Names.Where(name => !IsUsage(name)), twice.Names.Where(name => !IsUsage(name)));
        var weights = once.Names.Where(name => name.EndsWith(".safetensors", StringComparison.Ordinal) || name.EndsWith("seal.json", StringComparison.Ordinal));
        Assert.All(weights, name => Assert.Equal(once.Peek(name), twice.Peek(name)));

        static bool IsUsage(string name) => name.Contains("/usage/", StringComparison.Ordinal);

        static async Task<InMemoryObjectStore> RunAsync(Repeat repeat)
        {
            var disk = new InMemoryObjectStore();
            await using var federation = new SimulatedFederation(disk, new SimulatedClients(disk, 4), repeat: repeat);
            var spec = SimulatedFederation.Spec(rounds: 2);
            await SimulatedFederation.CreateAsync(disk, spec with { Optimizer = new OptimizerSpec { Name = "fedadam", LearningRate = 0.1 } });
            await federation.RunAsync();
            return disk;
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public async Task RunAsync_AnyShardSize_PublishesTheSameBytes(int superBlocks)
    {
        var reference = await PublishAsync(null);

        Assert.Equal(reference, await PublishAsync(superBlocks * RoundGeometry.SuperBlock));

        static async Task<byte[]> PublishAsync(long? shardCoordinates)
        {
            var disk = new InMemoryObjectStore();
            await using var federation = new SimulatedFederation(disk, new SimulatedClients(disk, 3));
            await SimulatedFederation.AdoptAsync(disk, "digits", Models.Large(parameters: 700_001, buffers: 300_003));
            var spec = SimulatedFederation.Spec() with { Architecture = null, Update = new UpdateSpec(), Optimizer = new OptimizerSpec { Name = "fedyogi" } };
            await SimulatedFederation.CreateAsync(disk, spec);
            if (shardCoordinates is { } wanted)
            {
                await Plans.ReplaceAsync(federation, plan => plan with { ShardCoordinates = wanted });
            }

            var outcome = await federation.RunRoundAsync();
            Assert.Equal(RoundOutcomeKind.Published, outcome.Kind);
            return disk.Peek(StoreNames.Weights("digits", outcome.Version!))!;
        }
    }

    [Fact]
    public async Task RunAsync_SomeSilent_SealsAtTheDeadlineWithWhoAnswered()
    {
        var disk = new InMemoryObjectStore();
        var clients = new SimulatedClients(disk, 4) { Silent = { "client-002" } };
        await using var federation = new SimulatedFederation(disk, clients);
        await SimulatedFederation.CreateAsync(disk, SimulatedFederation.Spec());

        await federation.RunAsync();

        var seal = await disk.GetAsync(StoreNames.Seal(SimulatedFederation.RunId, 1), StoreJson.Default.SealDocument, CancellationToken.None);
        Assert.Equal(["client-000", "client-001", "client-003"], seal.Value.Receipts);
        Assert.Equal("deadline", seal.Value.Reason);
    }

    [Fact]
    public async Task RunAsync_SevenDaysWithoutAnAnswer_LooksAtMostTwoHundredTimes()
    {
        var disk = new InMemoryObjectStore();
        var store = new CountingStore(disk);
        var clients = new SimulatedClients(disk, 2) { Silent = { "client-000", "client-001" } };
        await using var federation = new SimulatedFederation(disk, clients, store);
        await SimulatedFederation.CreateAsync(disk, SimulatedFederation.Spec() with { Round = new RoundSpec { DeadlineSeconds = 7 * 86_400 } });
        await federation.Environment.RunAsync(Workflows.Runs.TrainingRunWorkflow.Definition, new Workflows.Runs.RunProgress(SimulatedFederation.RunId));

        var looksOfOneRound = store.Lists(StoreNames.Receipts(SimulatedFederation.RunId, 1));
        Assert.InRange(looksOfOneRound, 100, 200);
    }

    [Fact]
    public async Task RunAsync_PointerMovedElsewhere_AbandonsWithoutAVersion()
    {
        var disk = new InMemoryObjectStore();
        await using var federation = new SimulatedFederation(disk, new SimulatedClients(disk, 2));
        await SimulatedFederation.CreateAsync(disk, SimulatedFederation.Spec());
        await Plans.ReplaceAsync(federation, plan => plan);
        await Plans.PublishElsewhereAsync(disk);

        var outcome = await federation.RunRoundAsync();

        Assert.Equal(RoundOutcomeKind.Abandoned, outcome.Kind);
        Assert.Contains("pointer moved", outcome.Reason, StringComparison.Ordinal);
        Assert.DoesNotContain(disk.Names, name => name.Contains($"versions/{SimulatedFederation.RunId}-r1/", StringComparison.Ordinal));
    }

    [Fact]
    public async Task PublishModel_AnotherRunTrainedOnBeforeTheRoundClosed_StaysPublished()
    {
        var disk = new InMemoryObjectStore();
        await using var federation = new SimulatedFederation(disk, new SimulatedClients(disk, 2));
        await SimulatedFederation.CreateAsync(disk, SimulatedFederation.Spec());
        await Plans.ReplaceAsync(federation, plan => plan);
        await federation.RunRoundAsync();

        // As after a crash between the pointer and the outcome.
        await disk.DeleteAsync(StoreNames.RoundOutcome(SimulatedFederation.RunId, 1), CancellationToken.None);
        await Plans.PublishElsewhereAsync(disk);

        var published = await federation.Activities.PublishModel.RunAsync(new RoundInput(SimulatedFederation.RunId, 1), CancellationToken.None);

        Assert.Equal("run-r1", published.Version);
    }

    [Fact]
    public async Task PublishModel_StaleCopyAfterARollBack_LeavesThePointerAlone()
    {
        var disk = new InMemoryObjectStore();
        await using var federation = new SimulatedFederation(disk, new SimulatedClients(disk, 2));
        await SimulatedFederation.CreateAsync(disk, SimulatedFederation.Spec());
        await Plans.ReplaceAsync(federation, plan => plan);
        var name = StoreNames.ModelPointer("digits");
        var before = await disk.GetAsync(name, StoreJson.Default.PointerDocument, CancellationToken.None);
        await federation.RunRoundAsync();

        // The copy looked for the outcome before there was one; then the operator rolled back.
        await disk.PutAsync(name, before.Value, StoreJson.Default.PointerDocument, Storage.PutCondition.Overwrite, CancellationToken.None);
        var looks = 0;
        var outcome = StoreNames.RoundOutcome(SimulatedFederation.RunId, 1);
        await using var stale = new SimulatedFederation(disk, federation.Clients, new BlindStore(disk, asked => asked == outcome && looks++ == 0));

        var published = await stale.Activities.PublishModel.RunAsync(new RoundInput(SimulatedFederation.RunId, 1), CancellationToken.None);

        Assert.Equal("run-r1", published.Version);
        Assert.Equal(before.Value, (await disk.GetAsync(name, StoreJson.Default.PointerDocument, CancellationToken.None)).Value);
    }

    [Fact]
    public async Task RunAsync_VersionOfADeletedRunOfThisName_IsNotPublishedAgain()
    {
        var disk = new InMemoryObjectStore();
        await using var federation = new SimulatedFederation(disk, new SimulatedClients(disk, 2));
        await SimulatedFederation.CreateAsync(disk, SimulatedFederation.Spec());
        await Plans.ReplaceAsync(federation, plan => plan);
        var plan = await disk.GetAsync(StoreNames.Plan(SimulatedFederation.RunId, 1), StoreJson.Default.RoundPlan, CancellationToken.None);
        var parent = await disk.GetAsync(StoreNames.Manifest("digits", plan.Value.BaseVersion), StoreJson.Default.ModelManifest, CancellationToken.None);
        await disk.CreateOnceAsync(
            StoreNames.Manifest("digits", "run-r1"), parent.Value with { Version = "run-r1", Plan = Digest.Of("older"u8) }, StoreJson.Default.ModelManifest,
            CancellationToken.None);

        var outcome = await federation.RunRoundAsync();

        Assert.Equal(RoundOutcomeKind.Abandoned, outcome.Kind);
        Assert.Contains("exists already", outcome.Reason, StringComparison.Ordinal);
        var pointer = await disk.GetAsync(StoreNames.ModelPointer("digits"), StoreJson.Default.PointerDocument, CancellationToken.None);
        Assert.Equal(plan.Value.BaseVersion, pointer.Value.Version);
    }

    [Fact]
    public async Task RunAsync_UpdatesNotRetained_LeavesNoUpdateAndNoSlice()
    {
        var disk = new InMemoryObjectStore();
        await using var federation = new SimulatedFederation(disk, new SimulatedClients(disk, 3));
        await SimulatedFederation.CreateAsync(disk, SimulatedFederation.Spec() with { RetainUpdates = false });

        await federation.RunAsync();

        Assert.DoesNotContain(disk.Names, name => name.StartsWith("updates/", StringComparison.Ordinal) || name.Contains("/slices/", StringComparison.Ordinal));
        Assert.DoesNotContain(disk.Names, name => name.StartsWith(StoreNames.OpenWork("default"), StringComparison.Ordinal));
    }
}
