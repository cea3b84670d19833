using FedServerless.Activities.State;
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
    internal const double Rate = 0.25;
    private const double Alpha = 0.5;

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

    // Round 1 has no sum yet; in round 2 SCAFFOLD's goes down to each of three devices, FedDyn's stays.
    [Theory]
    [InlineData(LocalSolvers.Scaffold, 1)]
    [InlineData(LocalSolvers.FedDyn, 0)]
    public async Task RunAsync_SumGoesDownWithTheModel_IsCounted(string solver, int sums)
    {
        var disk = await MakeDiskAsync(Spec(solver, rounds: 2));
        await using var federation = new SimulatedFederation(disk, new SimulatedClients(disk, 3));

        await federation.RunAsync();

        for (var round = 1; round <= 2; round++)
        {
            var plan = Read(disk, StoreNames.Plan(SimulatedFederation.RunId, round), StoreJson.Default.RoundPlan);
            var outcome = Read(disk, StoreNames.RoundOutcome(SimulatedFederation.RunId, round), StoreJson.Default.RoundOutcomeDocument);
            var expected = plan.Base.Bytes + (round == 1 || sums == 0 ? 0 : plan.Solver!.Sum!.Bytes);
            Assert.Equal(3 * expected, outcome.BytesDown);
            Assert.Equal(3 * (round == 1 ? 1 : 1 + sums), outcome.Account!.Devices.Reads);
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

    // PITFALLS 46.
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

    internal static RunSpec Spec(string solver, int rounds) => SimulatedFederation.Spec(rounds) with
    {
        Training = new TrainingSpec { Solver = solver, LearningRate = Rate, BatchSize = 4, ProximalMu = solver == LocalSolvers.FedDyn ? Alpha : 0 },
        Aggregation = new AggregationSpec { Weighting = solver is LocalSolvers.Scaffold or LocalSolvers.FedDyn ? Weightings.Uniform : Weightings.Samples },
    };

    internal static async Task<InMemoryObjectStore> MakeDiskAsync(RunSpec spec, ModelState? model = null)
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

    internal static RoundPlan Plan(InMemoryObjectStore disk, int round) => Read(disk, StoreNames.Plan(SimulatedFederation.RunId, round), StoreJson.Default.RoundPlan);

    private static ModelManifest Manifest(InMemoryObjectStore disk, int round) =>
        Read(disk, StoreNames.Manifest("digits", $"{SimulatedFederation.RunId}-r{round}"), StoreJson.Default.ModelManifest);

    internal static float[] Sum(InMemoryObjectStore disk, int round) => ModelStateFile.Read(disk.Peek(Manifest(disk, round).Solver!.Sum.Object)!).Values;

    private static T Read<T>(InMemoryObjectStore disk, string name, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type) =>
        System.Text.Json.JsonSerializer.Deserialize(disk.Peek(name)!, type)!;

    private static void Close(IEnumerable<double> expected, IEnumerable<float> actual) =>
        Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, 1e-6 * Math.Max(1, Math.Abs(pair.First))));
}
