using System.Runtime.InteropServices;
using FedServerless.Activities.Privacy;
using FedServerless.Activities.Rounds;
using FedServerless.Activities.State;
using FedServerless.Compression;
using FedServerless.Model;
using FedServerless.Numerics;
using FedServerless.Privacy;
using FedServerless.Storage;
using FedServerless.Testing;
using FedServerless.Testing.Federation;
using FedServerless.Testing.Storage;
using FedServerless.Wire;
using FedServerless.Wire.Updates;
using FedServerless.Workflows.Rounds;
using FedServerless.Workflows.Runs;

namespace FedServerless.Orchestrations.Tests.Privacy;

/// <summary>What would make a private round cost more than it is charged: less noise than priced, a client that counts more than C, a client that counts twice.</summary>
public sealed class PrivateRoundAttackTests
{
    private const int Shards = 4;
    private const int ShardCoordinates = 2048;

    private static readonly CancellationToken Token = CancellationToken.None;

    // PITFALLS 6, 8, 9, 10. Nobody answers, so that the stored sums are the noise alone: of the deviation z_Δ·2ᵏ that was priced, at every coordinate of every shard.
    // The variance of 8192 draws is off by six of its deviations, 9.4 %, once in 5·10⁸ runs; that of a shard's 2048 by 18.8 %. Half the deviation, one divided by √shards, the z of
    // the whole instead of the larger z_Δ (a third less variance), or noise that shrinks with the clients that dropped out would all be seen.
    [Theory]
    [InlineData(1, false)]
    [InlineData(2, false)]
    [InlineData(1, true)]
    public async Task RunAsync_SeveralShards_EachHasNoiseOfItsOwnWithTheFullDeviation(int levels, bool adaptive)
    {
        var (disk, kept) = (new InMemoryObjectStore(), default(KeepingStore));
        kept = new KeepingStore(disk);
        var clients = new SimulatedClients(disk, 2) { Silent = { "client-000", "client-001" } };
        await using var federation = new SimulatedFederation(disk, clients, kept);
        var spec = PrivateRig.Spec(1, adaptive: adaptive);
        await PrivateRig.PrepareAsync(disk, clients, spec with
        {
            Architecture = new ArchitectureSpec { Name = "softmax", Inputs = 2047, Outputs = 4 },
            Aggregation = spec.Aggregation with { Levels = levels },
            Privacy = spec.Privacy! with { AdaptiveClip = adaptive ? new AdaptiveClipSpec { BitNoise = 1 } : null },
        });
        await federation.Activities.DecideStep.RunAsync(new RunProgress(SimulatedFederation.RunId), Token);
        await disk.PutAsync(
            StoreNames.Plan(SimulatedFederation.RunId, 1), PrivateRig.PlanOf(disk, 1) with { ShardCoordinates = ShardCoordinates }, StoreJson.Default.RoundPlan, PutCondition.Overwrite, Token);

        await federation.RunAsync();

        var deviation = (adaptive ? Math.Sqrt(4.0 / 3) : 1) * Math.ScaleB(1, PrivateRig.PlanOf(disk, 1).Privacy!.GridBits);
        var noise = Enumerable.Range(0, Shards).Select(shard => NoiseOf(kept, shard).Select(value => value / deviation).ToArray()).ToArray();
        Assert.All(noise, shard => Assert.InRange(Product(shard, shard), 1 - 0.188, 1 + 0.188));
        Assert.InRange(noise.Average(shard => Product(shard, shard)), 1 - 0.094, 1 + 0.094);
        for (var one = 0; one < Shards; one++)
        {
            for (var other = 0; other < one; other++)
            {
                Assert.InRange(Product(noise[one], noise[other]), -6 / Math.Sqrt(ShardCoordinates), 6 / Math.Sqrt(ShardCoordinates));
            }
        }
    }

    // PITFALLS 7, 12. Worked out from the stored bytes and the accepted scale: Σz² ≤ 4ᵏ in integers, whatever the codec makes of a hostile vector.
    [Theory]
    [InlineData(UpdateCodecs.Float32, 1e30f)]
    [InlineData(UpdateCodecs.Float16, 6e4f)]
    [InlineData(UpdateCodecs.Int8, 1e20f)]
    [InlineData(UpdateCodecs.Int4, 1e20f)]
    [InlineData(UpdateCodecs.TopK, 1e30f)]
    [InlineData(UpdateCodecs.TopKInt8, 1e20f)]
    [InlineData(UpdateCodecs.RandomK, 1e30f)]
    [InlineData(UpdateCodecs.RandomKInt8, 1e20f)]
    [InlineData(UpdateCodecs.Ternary, 1e20f)]
    [InlineData(UpdateCodecs.Sign, 1e20f)]
    [InlineData(UpdateCodecs.Sign, 0.032f)]
    public async Task AcceptUpdates_AnyCodec_NobodyCountsMoreThanTheClip(string codec, float size)
    {
        var disk = new InMemoryObjectStore();
        var clients = new SimulatedClients(disk, 2) { Deltas = (_, client, parameters) => Rough(client, size, parameters) };
        await using var federation = new SimulatedFederation(disk, clients);
        var spec = PrivateRig.Spec(1);
        await PrivateRig.PrepareAsync(disk, clients, spec with
        {
            Architecture = new ArchitectureSpec { Name = "softmax", Inputs = 699, Outputs = 3 },
            Update = spec.Update with { Codec = codec },
        });

        await AcceptAsync(federation, clients);

        var plan = PrivateRig.PlanOf(disk, 1);
        var accepted = PrivateRig.AcceptedOf(disk);
        Assert.Equal(2, accepted.Accepted.Count);
        foreach (var update in accepted.Accepted)
        {
            var squares = OnGrid(disk, plan, update).Aggregate(default(Int128), (sum, value) => sum + ((Int128)value * value));
            Assert.InRange(squares, (Int128)1, (Int128)plan.Privacy!.Grid.StepsPerClip * plan.Privacy.Grid.StepsPerClip);
        }
    }

    // PITFALLS 20: there are no asynchronous rounds, and whatever a client uploads in a round, one update of it counts, once.
    [Fact]
    public async Task RunAsync_ClientUploadsTwoUpdatesAndAnotherCopiesItsFirst_EachCountsOnce()
    {
        const double Noise = 0.15;
        var disk = new InMemoryObjectStore();
        var clients = new SimulatedClients(disk, 2) { Deltas = (_, _, parameters) => PrivateRig.Along("client-000", 50, parameters) };
        clients.Tamper = (plan, client, update) =>
        {
            // A second update of the same client beside the one that its receipt names.
            var second = Digest.Of("another update"u8);
            disk.PutBytesAsync(StoreNames.UpdateHeader(plan.Run, plan.Round, client, second), update.Header, PutCondition.CreateOnce, Token).GetAwaiter().GetResult();
            disk.PutBytesAsync(StoreNames.UpdatePart(plan.Run, plan.Round, client, second, 0), update.Parts[0], PutCondition.CreateOnce, Token).GetAwaiter().GetResult();
            return update;
        };
        await using var federation = new SimulatedFederation(disk, clients);
        await PrivateRig.PrepareAsync(disk, clients, PrivateRig.Spec(Noise));

        await federation.RunAsync();

        // Two clients with one and the same header: C each, over qN = 2.
        Assert.Equal(1.0, PrivateRig.StepOf(disk)[0], 6 * Noise / 2);
        Assert.DoesNotContain(disk.Names, name => name.StartsWith("updates/", StringComparison.Ordinal));
    }

    // What is left of a round says nothing of how long updates were: that of a sparse one follows from its values.
    [Fact]
    public async Task RunAsync_SparseUpdatesOfOtherLengths_LeaveTheSameNumberOfBytes()
    {
        var (full, empty) = (await BytesUpAsync(5), await BytesUpAsync(0));

        Assert.Equal(full, empty);
        Assert.True(full > 0);

        static async Task<long> BytesUpAsync(float size)
        {
            var disk = new InMemoryObjectStore();
            var clients = new SimulatedClients(disk, 2) { Deltas = (_, client, parameters) => size == 0 ? new float[parameters] : Rough(client, size, parameters) };
            await using var federation = new SimulatedFederation(disk, clients);
            var spec = PrivateRig.Spec(1);
            await PrivateRig.PrepareAsync(disk, clients, spec with { Update = spec.Update with { Codec = UpdateCodecs.TopK, Keep = 0.5 } });
            await federation.RunAsync();
            return PrivateRig.OutcomeOf(disk).BytesUp;
        }
    }

    // PITFALLS 1, 13: two draws of a cohort may be written, one is used, and the round is reserved once.
    [Fact]
    public async Task DecideStep_HostDiesBetweenTheDrawAndThePlan_UsesOneCohortAndReservesOnce()
    {
        var disk = new InMemoryObjectStore();
        var clients = new SimulatedClients(disk, 40);
        var ledger = await PrivateRig.PrepareAsync(disk, clients, PrivateRig.Spec(1, rate: 0.5));
        var dies = true;
        var mortal = new FaultInjectingStore(disk)
        {
            Gate = (write, _) => dies && write.Name.EndsWith("/plan.json", StringComparison.Ordinal) ? throw new IOException("The host died.") : Task.CompletedTask,
        };
        await using var federation = new SimulatedFederation(disk, clients, mortal);

        await Assert.ThrowsAsync<IOException>(() => federation.Activities.DecideStep.RunAsync(new RunProgress(SimulatedFederation.RunId), Token));
        dies = false;
        await federation.Activities.DecideStep.RunAsync(new RunProgress(SimulatedFederation.RunId), Token);
        var plan = disk.Peek(StoreNames.Plan(SimulatedFederation.RunId, 1))!;
        await federation.Activities.DecideStep.RunAsync(new RunProgress(SimulatedFederation.RunId), Token);

        Assert.Equal(plan, disk.Peek(StoreNames.Plan(SimulatedFederation.RunId, 1)));
        Assert.Single((await ledger.ReadAsync("default", Token)).Keys);
    }

    // The name of a run that was charged in one population is free in another: its ledger knows nothing of it, and neither pays for the other.
    [Fact]
    public async Task Ledger_SameRunNameInTwoPopulations_IsChargedInBoth()
    {
        var ledger = new PrivacyLedger(new InMemoryObjectStore(), new ManualTimeProvider());
        var release = new NoisyRelease(ClientSampling.Poisson, 1, 5) { GridBits = 12 };
        foreach (var population in new[] { "north", "south" })
        {
            await ledger.SetBudgetAsync(population, new BudgetSetting(3, 1e-5, 1000), "officer", Token);
            Assert.True((await ledger.ReserveAsync(population, "r", 1, release, Token)).Admitted);
        }

        await ledger.ChargeAsync("north", "r", 1, Token);

        Assert.True(await ledger.IsChargedAsync("north", "r", 1, Token));
        Assert.False(await ledger.IsChargedAsync("south", "r", 1, Token));
    }

    private static async Task AcceptAsync(SimulatedFederation federation, SimulatedClients clients)
    {
        var input = new RoundInput(SimulatedFederation.RunId, 1);
        await federation.Activities.DecideStep.RunAsync(new RunProgress(SimulatedFederation.RunId), Token);
        await federation.Activities.OpenRound.RunAsync(input, Token);
        await clients.AnswerAsync(SimulatedFederation.RunId, 1, Token);
        await federation.Activities.SealRound.RunAsync(input, Token);
        await federation.Activities.ValidateUpdates.RunAsync(new ValidationChunk(SimulatedFederation.RunId, 1, 0), Token);
        await federation.Activities.AcceptUpdates.RunAsync(input, Token);
    }

    private static long[] OnGrid(InMemoryObjectStore disk, RoundPlan plan, AcceptedUpdate update)
    {
        var layout = ModelStateFile.Read(disk.Peek(plan.Base.Object)!).Layout;
        var shape = UpdateShape.Create(layout, plan.Update);
        Assert.True(UpdateHeader.TryParse(disk.Peek(StoreNames.UpdateHeader(plan.Run, plan.Round, update.Client, update.Header)), shape, plan.Base.Digest, out var header, out var problem), problem);
        var payload = UpdateParts.Cut(header, plan.Update.PartBytes).SelectMany(part => disk.Peek(StoreNames.UpdatePart(plan.Run, plan.Round, update.Client, update.Header, part.Index))!).ToArray();
        var sums = new long[layout.ParameterCount];
        for (var block = 0; block < shape.FloatBlocks; block++)
        {
            var (start, count) = shape.ValuesOf(block);
            var values = new float[count];
            Assert.True(header.TryDecodeBlock(block, payload.AsSpan((int)header.BlockOffset(block), header.BlockLength(block)), values));
            UpdateGrid.Accumulate(values, update.Private!.Scale, sums.AsSpan((int)start, count));
        }

        return sums;
    }

    private static long[] NoiseOf(KeepingStore kept, int shard) => MemoryMarshal.Cast<byte, long>(
        PartialSum.Values(Assert.Single(kept.Versions(StoreNames.NoisySum(SimulatedFederation.RunId, 1, shard)), bytes => bytes.Length > 0))).ToArray();

    private static double Product(double[] one, double[] other) => one.Zip(other, (a, b) => a * b).Average();

    private static float[] Rough(string client, float size, long parameters)
    {
        var random = DeterministicRandom.Derive(7, "rough", client);
        return [.. Enumerable.Range(0, (int)parameters).Select(_ => (float)(size * (random.NextDouble() - 0.5)))];
    }
}
