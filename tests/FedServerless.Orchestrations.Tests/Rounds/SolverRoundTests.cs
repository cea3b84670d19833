using FedServerless.Activities.Rounds;
using FedServerless.Activities.State;
using FedServerless.Capacity;
using FedServerless.Model;
using FedServerless.Optimization;
using FedServerless.Storage;
using FedServerless.Testing.Federation;
using FedServerless.Testing.Storage;
using FedServerless.Wire;
using FedServerless.Workflows.Rounds;

namespace FedServerless.Orchestrations.Tests.Rounds;

/// <summary>
/// What the server makes of a round under a solver, worked out again from the papers' formulas: c and every cᵢ apart (the product keeps their sum).
/// </summary>
public sealed class SolverRoundTests
{
    private const int Members = 8;
    private const double Rate = 0.25;
    private const double Alpha = 0.5;
    private const float Large = (float)(1L << 35) * (1L << 35);

    // PITFALLS 45: three of six take part, two more are enrolled and never come; one update is refused, a whole round comes to nothing.
    [Theory]
    [InlineData(LocalSolvers.Scaffold, Repeat.Never)]
    [InlineData(LocalSolvers.Scaffold, Repeat.AtOnce)]
    [InlineData(LocalSolvers.FedDyn, Repeat.InSequence)]
    public async Task RunAsync_WithMemory_KeepsTheSumOfAllClientsVectors(string solver, Repeat repeat)
    {
        var disk = await MakeDiskAsync(Spec(solver, rounds: 4) with { Selection = new SelectionSpec { Kind = Selections.Uniform, Clients = 3 } });
        var clients = new SimulatedClients(disk, 6)
        {
            Tamper = (plan, client, update) => plan.Round == 2 ? null : plan.Round == 3 && client == "client-001" ? Stale(update) : update,
        };
        await using var federation = new SimulatedFederation(disk, clients, repeat: repeat);

        var result = await federation.RunAsync();

        Assert.Equal(RunStates.Completed, result.State);
        var (weights, sum) = Replay(disk, clients, solver, rounds: 5);
        var manifest = Read(disk, StoreNames.Manifest("digits", $"{SimulatedFederation.RunId}-r5"), StoreJson.Default.ModelManifest);
        Assert.Equal((solver, $"{SimulatedFederation.RunId}-r1"), (manifest.Solver!.Name, manifest.Solver.Since));
        Close(sum, ModelStateFile.Read(disk.Peek(manifest.Solver.Sum.Object)!).Values);
        Close(weights, (await federation.ServedAsync()).Values);
    }

    [Fact]
    public async Task RunAsync_OneUpdateRefused_IsInNeitherSumNorCount()
    {
        var disk = await MakeDiskAsync(Spec(LocalSolvers.Scaffold, rounds: 2));
        var clients = new SimulatedClients(disk, 3) { Tamper = (_, client, update) => client == "client-001" ? Stale(update) : update };
        await using var federation = new SimulatedFederation(disk, clients);

        await federation.RunAsync();

        var (_, sum) = Replay(disk, clients, LocalSolvers.Scaffold, rounds: 2);
        Assert.Equal(2, Read(disk, StoreNames.Accepted(SimulatedFederation.RunId, 2), StoreJson.Default.AcceptedDocument).Accepted.Count);
        Close(sum, Sum(disk, 2));
    }

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
        var one = await PublishAsync(reduction => reduction with { ChunkClients = 8, Levels = 1 }, Repeat.Never);

        Assert.Equal(one, await PublishAsync(reduction => reduction with { ChunkClients = 8, Levels = 2, ChunksPerTask = chunksPerTask }, repeat));
        Assert.NotEqual(one, await PublishAsync(reduction => reduction with { ChunkClients = 64, Levels = 1 }, repeat));

        async Task<byte[]> PublishAsync(Func<ReductionPlan, ReductionPlan> change, Repeat repeat)
        {
            var disk = await MakeDiskAsync(Spec(solver, 1));
            var clients = new SimulatedClients(disk, 60) { Deltas = Steep };
            await using var federation = new SimulatedFederation(disk, clients, repeat: repeat);
            await Plans.ReplaceAsync(federation, plan => plan with { Reduction = change(plan.Reduction!) });
            var outcome = await federation.RunRoundAsync();
            return [.. disk.Peek(StoreNames.Weights("digits", outcome.Version!))!, .. disk.Peek(StoreNames.SolverSum("digits", outcome.Version!))!];
        }

        static float[] Steep(RoundPlan plan, string client, long parameters)
        {
            var number = int.Parse(client[^3..], null);
            return [.. Enumerable.Range(0, (int)parameters).Select(i => (i + number) % 3 == 0 ? number % 2 == 0 ? Large : -Large : ((number * 7919) + i) % 1000 / 7f)];
        }
    }

    [Fact]
    public async Task PlanRound_GoesOn_NamesTheSumOfTheVersionBefore()
    {
        var (disk, federation) = await TwoRoundsAsync();
        await using var disposed = federation;

        var plan = await PlanAsync(federation, SimulatedFederation.RunId, 3);

        Assert.Equal(new SolverPlan($"{SimulatedFederation.RunId}-r1", Members, Manifest(disk, 2).Solver!.Sum), plan.Solver);
    }

    // Clients' vectors hold rounds 1 and 2 and cannot go back: a memory of its own begins, and they see that by its name.
    [Fact]
    public async Task PlanRound_RolledBack_BeginsAtZero()
    {
        var (disk, federation) = await TwoRoundsAsync();
        await using var disposed = federation;
        var version = $"{SimulatedFederation.RunId}-r1";
        var manifest = await disk.GetAsync(StoreNames.Manifest("digits", version), StoreJson.Default.ModelManifest, CancellationToken.None);
        await disk.PutAsync(
            StoreNames.ModelPointer("digits"), new PointerDocument(version, manifest.Digest), StoreJson.Default.PointerDocument, PutCondition.Overwrite, CancellationToken.None);

        var plan = await PlanAsync(federation, SimulatedFederation.RunId, 3);

        Assert.Equal(new SolverPlan($"{SimulatedFederation.RunId}-r3", Members, null), plan.Solver);
    }

    [Fact]
    public async Task PlanRound_AnotherRun_BeginsAtZero()
    {
        var (disk, federation) = await TwoRoundsAsync();
        await using var disposed = federation;
        var run = new RunDocument("second", Spec(LocalSolvers.Scaffold, 1));
        await disk.PutAsync(StoreNames.Run("second"), run, StoreJson.Default.RunDocument, PutCondition.CreateOnce, CancellationToken.None);

        Assert.Equal(new SolverPlan("second-r1", Members, null), (await PlanAsync(federation, "second", 1)).Solver);
    }

    // PITFALLS 46: τ_eff·Σ pᵢ·Δᵢ/τᵢ, and buffers by their samples alone.
    [Fact]
    public async Task RunAsync_FedNovaUnequalSteps_NormalisesParametersAndNotBuffers()
    {
        var spec = Spec(LocalSolvers.FedNova, 1) with { Architecture = null };
        var disk = await MakeDiskAsync(spec with { Training = spec.Training with { BatchSize = 5, Epochs = 2 } }, Models.WithBatchNorm());
        var clients = new SimulatedClients(disk, 3)
        {
            Samples = client => 5 * (1 + (3 * int.Parse(client[^3..], null))),
            Buffers = (client, buffers) => [.. buffers.Select(_ => 1f + int.Parse(client[^3..], null))],
        };
        await using var federation = new SimulatedFederation(disk, clients);

        await federation.RunAsync();

        var plan = Plan(disk, 1);
        var start = await clients.ReadModelAsync(plan.Base.Object, CancellationToken.None);
        double[] samples = [5, 20, 35], steps = [2, 8, 14];
        var deltas = clients.Ids.Select(client => clients.Deltas(plan, client, plan.Parameters)).ToArray();
        var effective = samples.Zip(steps, (n, tau) => n * tau / 60).Sum();
        var expected = start.Parameters.ToArray().Select((x, i) => x + (effective * Enumerable.Range(0, 3).Sum(k => samples[k] / 60 * deltas[k][i] / steps[k])));
        var served = await federation.ServedAsync();
        Close(expected, served.Parameters.ToArray());
        Close(served.Buffers.ToArray().Select(_ => ((5 * 1.0) + (20 * 2) + (35 * 3)) / 60), served.Buffers.ToArray());
    }

    // PITFALLS 37: τ_eff multiplies the whole round, and a receipt can claim any number of samples. The bound is worked out by hand:
    // nine take 4 steps; the tenth's claim counts for 16 times 4.
    [Theory]
    [InlineData(1_000_000)]
    [InlineData(long.MaxValue)]
    public void Decide_FedNovaOneClaimsManySteps_ScalesTheRoundBySixteenMediansAtMost(long claimed)
    {
        var training = Spec(LocalSolvers.FedNova, 1).Training with { BatchSize = 5, Epochs = 2 };
        var honest = Enumerable.Range(0, 9).Select(i => Verdict($"client-{i}", 1, LocalSolvers.Steps(training, 10)));
        var hostile = Verdict("hostile", 1, LocalSolvers.Steps(training, claimed));

        var accepted = AcceptUpdates.Decide([.. honest, hostile], new AggregationSpec { Weighting = Weightings.Uniform }, training);

        var effective = ((9 * 4) + (16 * 4)) / 10.0;
        var scale = effective * ((9 / 4.0) + (1.0 / LocalSolvers.Steps(training, claimed))) / 10;
        Assert.Equal(scale, accepted.Scale!.Value, 1e-12 * scale);
    }

    // PITFALLS 37: an update divided by one step instead of a hundred moves the model a hundred times as far as its norm says.
    [Theory]
    [InlineData(LocalSolvers.FedNova, 1.5, null, true)]
    [InlineData(LocalSolvers.FedNova, null, 3.0, true)]
    [InlineData(LocalSolvers.FedNova, 101.0, 101.0, false)]
    [InlineData(LocalSolvers.Scaffold, 1.5, null, true)]
    [InlineData(LocalSolvers.Scaffold, null, 3.0, true)]
    [InlineData(LocalSolvers.FedDyn, 1.5, 3.0, false)]
    [InlineData(LocalSolvers.Sgd, 1.5, 3.0, false)]
    public void Decide_FewStepsClaimed_BoundsWhatTheUpdateDoes(string solver, double? bound, double? ratio, bool refused)
    {
        var training = Spec(solver, 1).Training;
        long? Steps(long steps) => solver == LocalSolvers.Sgd ? null : steps;
        var honest = Enumerable.Range(0, 4).Select(i => Verdict($"client-{i}", 1, Steps(100)));

        var accepted = AcceptUpdates.Decide(
            [.. honest, Verdict("hostile", 1, Steps(1))], new AggregationSpec { Weighting = Weightings.Uniform, MaxNorm = bound, MaxNormRatio = ratio }, training);

        Assert.Equal(refused ? ["hostile"] : [], accepted.Refused.Select(one => one.Client));
    }

    // PITFALLS 37, 45: what SCAFFOLD's memory takes up is Δ/(K·η). Four take 64 steps; an update as long as theirs in 4 of them counts 16 times. No
    // bound of the operator's is set.
    [Theory]
    [InlineData(LocalSolvers.Scaffold, 5, 1.0, false)]
    [InlineData(LocalSolvers.Scaffold, 4, 1.0, false)]
    [InlineData(LocalSolvers.Scaffold, 3, 1.0, true)]
    [InlineData(LocalSolvers.Scaffold, 1, 1.0, true)]
    [InlineData(LocalSolvers.Scaffold, 1, 0.25, false)]
    [InlineData(LocalSolvers.Scaffold, 64, 1000.0, false)]
    [InlineData(LocalSolvers.Scaffold, 1_000_000, 1.0, false)]
    [InlineData(LocalSolvers.FedDyn, 1, 1.0, false)]
    [InlineData(LocalSolvers.FedNova, 1, 1.0, false)]
    public void Decide_FewStepsClaimed_BoundsWhatTheMemoryTakesUp(string solver, long steps, double norm, bool refused)
    {
        var honest = Enumerable.Range(0, 4).Select(i => Verdict($"client-{i}", 1, 64));

        var accepted = AcceptUpdates.Decide(
            [.. honest, Verdict("hostile", norm, steps)], new AggregationSpec { Weighting = Weightings.Uniform }, Spec(solver, 1).Training);

        Assert.Equal(refused ? ["hostile"] : [], accepted.Refused.Select(one => one.Client));
        Assert.All(accepted.Refused, one => Assert.Contains("in so few steps", one.Reason, StringComparison.Ordinal));
    }

    // Nobody can tell which of two is right, and updates of zero are no measure.
    [Theory]
    [InlineData(1)]
    [InlineData(0)]
    public void Decide_NoMajorityToMeasureBy_RefusesNobody(double norm)
    {
        Verdict[] verdicts = norm > 0
            ? [Verdict("a", norm, 64), Verdict("b", norm, 1)]
            : [Verdict("a", 0, 64), Verdict("b", 0, 64), Verdict("c", 1, 1)];

        Assert.Empty(AcceptUpdates.Decide(verdicts, new AggregationSpec { Weighting = Weightings.Uniform }, Spec(LocalSolvers.Scaffold, 1).Training).Refused);
    }

    /// <summary>
    /// The attack: an update like everybody's, and a receipt that claims one sample. Unbounded it changes the memory K times as much as an honest one;
    /// the numbers on both sides are the paper's formula on the deltas that were sent.
    /// </summary>
    [Theory]
    [InlineData(1, 0)]
    [InlineData(40, 10)]
    public async Task RunAsync_ScaffoldHostileClaimsFewSteps_MovesTheMemoryByLittleMoreThanAnHonestOne(long claimed, double most)
    {
        const int Steps = 100;
        var disk = await MakeDiskAsync(Spec(LocalSolvers.Scaffold, 1));
        var clients = new SimulatedClients(disk, 5) { Samples = client => client == "client-002" ? claimed : 4 * Steps };
        await using var federation = new SimulatedFederation(disk, clients);

        await federation.RunAsync();

        var plan = Plan(disk, 1);
        var honest = clients.Ids.Where(client => client != "client-002").Select(client => clients.Deltas(plan, client, plan.Parameters)).ToArray();
        var hostile = clients.Deltas(plan, "client-002", plan.Parameters);
        var ofHonest = Enumerable.Range(0, hostile.Length).Select(i => -honest.Sum(delta => delta[i] / (Steps * Rate))).ToArray();
        var ofHostile = Sum(disk, 1).Select((value, i) => value - ofHonest[i]).ToArray();
        Assert.Equal(most * Norm([.. hostile.Select(value => value / (Steps * Rate))]), Norm(ofHostile), 1e-5);
        Assert.True(Norm([.. hostile.Select(value => value / Rate)]) > 50 * Norm(ofHonest) / 2, "The attack would not have been one.");

        static double Norm(IReadOnlyCollection<double> values) => Math.Sqrt(values.Sum(value => value * value));
    }

    [Fact]
    public async Task RunAsync_FedNovaEqualSteps_IsFedAvgToTheByte()
    {
        Assert.Equal(await PublishAsync(LocalSolvers.Sgd), await PublishAsync(LocalSolvers.FedNova));

        static async Task<float[]> PublishAsync(string solver)
        {
            var spec = Spec(solver, 2);
            var disk = await MakeDiskAsync(spec with { Training = spec.Training with { BatchSize = 32 } });
            await using var federation = new SimulatedFederation(disk, new SimulatedClients(disk, 5));
            await federation.RunAsync();
            return (await federation.ServedAsync()).Values;
        }
    }

    [Fact]
    public async Task RunAsync_PlainSgd_WritesNothingOfSolvers()
    {
        var disk = await MakeDiskAsync(SimulatedFederation.Spec());
        await using var federation = new SimulatedFederation(disk, new SimulatedClients(disk, 2));

        await federation.RunAsync();

        Assert.DoesNotContain(disk.Names, name => name.Contains("solver", StringComparison.Ordinal));
        Assert.DoesNotContain("olver\":{", System.Text.Encoding.UTF8.GetString(disk.Peek(StoreNames.Plan(SimulatedFederation.RunId, 1))!), StringComparison.Ordinal);
    }

    private static Verdict Verdict(string client, double norm, long? steps) =>
        new(client, null, default, norm, 10, 100, new Dictionary<string, double>(), Steps: steps);

    private static RunSpec Spec(string solver, int rounds) => SimulatedFederation.Spec(rounds) with
    {
        Training = new TrainingSpec { Solver = solver, LearningRate = Rate, BatchSize = 4, ProximalMu = solver == LocalSolvers.FedDyn ? Alpha : 0 },
        Aggregation = new AggregationSpec { Weighting = solver is LocalSolvers.Scaffold or LocalSolvers.FedDyn ? Weightings.Uniform : Weightings.Samples },
    };

    private static async Task<InMemoryObjectStore> MakeDiskAsync(RunSpec spec, ModelState? model = null)
    {
        var disk = new InMemoryObjectStore();
        for (var member = 0; member < Members; member++)
        {
            await disk.PutBytesAsync(StoreNames.Member(spec.Population, $"client-{member:D3}"), default, PutCondition.CreateOnce, CancellationToken.None);
        }

        if (model is not null)
        {
            await SimulatedFederation.AdoptAsync(disk, "digits", model);
        }

        await SimulatedFederation.CreateAsync(disk, spec);
        return disk;
    }

    private static async Task<(InMemoryObjectStore Disk, SimulatedFederation Federation)> TwoRoundsAsync()
    {
        var disk = await MakeDiskAsync(Spec(LocalSolvers.Scaffold, rounds: 2));
        var federation = new SimulatedFederation(disk, new SimulatedClients(disk, 3));
        await federation.RunAsync();
        return (disk, federation);
    }

    private static SimulatedUpdate Stale(SimulatedUpdate update) => update with { Receipt = update.Receipt with { BaseDigest = default } };

    private static async Task<RoundPlan> PlanAsync(SimulatedFederation federation, string run, int round)
    {
        await federation.Activities.PlanRound.RunAsync(new RoundInput(run, round), CancellationToken.None);
        return Read(federation.Disk, StoreNames.Plan(run, round), StoreJson.Default.RoundPlan);
    }

    private static (double[] Weights, double[] Sum) Replay(InMemoryObjectStore disk, SimulatedClients clients, string solver, int rounds)
    {
        var d = (int)Plan(disk, 1).Parameters;
        var own = Enumerable.Range(0, Members).ToDictionary(i => $"client-{i:D3}", _ => new double[d]);
        var weights = ModelStateFile.Read(disk.Peek(Plan(disk, 1).Base.Object)!).Values.Select(value => (double)value).ToArray();
        for (var round = 1; round <= rounds; round++)
        {
            if (!Read(disk, StoreNames.RoundOutcome(SimulatedFederation.RunId, round), StoreJson.Default.RoundOutcomeDocument).Published)
            {
                continue;
            }

            var plan = Plan(disk, round);
            var accepted = Read(disk, StoreNames.Accepted(SimulatedFederation.RunId, round), StoreJson.Default.AcceptedDocument).Accepted;
            var c = Enumerable.Range(0, d).Select(i => own.Values.Average(vector => vector[i])).ToArray();
            var step = new double[d];
            foreach (var client in accepted.Select(update => update.Client))
            {
                var delta = clients.Deltas(plan, client, d);
                var steps = Math.Ceiling(clients.Samples(client) / 4.0);
                for (var i = 0; i < d; i++)
                {
                    own[client][i] = solver == LocalSolvers.Scaffold
                        ? own[client][i] - c[i] - (delta[i] / (steps * Rate))
                        : own[client][i] - (Alpha * delta[i]);
                    step[i] += delta[i] / (double)accepted.Count;
                }
            }

            for (var i = 0; i < d; i++)
            {
                weights[i] += step[i] - (solver == LocalSolvers.FedDyn ? own.Values.Average(vector => vector[i]) / Alpha : 0);
            }
        }

        return (weights, [.. Enumerable.Range(0, d).Select(i => own.Values.Sum(vector => vector[i]))]);
    }

    private static RoundPlan Plan(InMemoryObjectStore disk, int round) => Read(disk, StoreNames.Plan(SimulatedFederation.RunId, round), StoreJson.Default.RoundPlan);

    private static ModelManifest Manifest(InMemoryObjectStore disk, int round) =>
        Read(disk, StoreNames.Manifest("digits", $"{SimulatedFederation.RunId}-r{round}"), StoreJson.Default.ModelManifest);

    private static float[] Sum(InMemoryObjectStore disk, int round) => ModelStateFile.Read(disk.Peek(Manifest(disk, round).Solver!.Sum.Object)!).Values;

    private static T Read<T>(InMemoryObjectStore disk, string name, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type) =>
        System.Text.Json.JsonSerializer.Deserialize(disk.Peek(name)!, type)!;

    private static void Close(IEnumerable<double> expected, IEnumerable<float> actual) =>
        Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, 1e-6 * Math.Max(1, Math.Abs(pair.First))));
}
