using FedServerless.Activities.State;
using FedServerless.Aggregation.Robust;
using FedServerless.Optimization;
using FedServerless.Storage;
using FedServerless.Testing.Federation;
using FedServerless.Testing.Storage;
using FedServerless.Wire;

namespace FedServerless.Orchestrations.Tests.Runs;

/// <summary>
/// The host dies before or after every single write to the store, its journal is lost, and a new host starts the run from
/// blobs alone. Every time the run completes to the same bytes, from exactly the receipts that were there.
/// </summary>
public sealed class CrashTests(ITestOutputHelper output)
{
    private const int Rounds = 2;
    private const int ClientCount = 3;

    [Theory]
    [InlineData(StoreFault.CrashBefore)]
    [InlineData(StoreFault.CrashAfter)]
    public async Task RunAsync_CrashAtEachWriteAndJournalLost_EndsInTheSameBytes(StoreFault fault)
    {
        var (reference, writes) = await RunAsync(null);
        for (var number = 1; number <= writes; number++)
        {
            var (model, _) = await RunAsync((number, fault));
            Assert.True(reference.AsSpan().SequenceEqual(model), $"Other bytes after {fault} at write {number} of {writes}.");
        }

        output.WriteLine($"{writes} writes, each with {fault}.");
    }

    [Theory]
    [InlineData(AggregationRules.MultiKrum, StoreFault.CrashBefore)]
    [InlineData(AggregationRules.MultiKrum, StoreFault.CrashAfter)]
    [InlineData(AggregationRules.Median, StoreFault.CrashBefore)]
    [InlineData(AggregationRules.Median, StoreFault.CrashAfter)]
    [InlineData(AggregationRules.CenteredClipping, StoreFault.CrashAfter)]
    public async Task RunAsync_RobustRuleCrashAtEachWriteAndJournalLost_EndsInTheSameBytes(string rule, StoreFault fault)
    {
        var spec = Spec with
        {
            Aggregation = new AggregationSpec { Rule = rule, ClipRadius = rule == AggregationRules.CenteredClipping ? 0.05 : null }, Optimizer = new OptimizerSpec(),
        };
        var (reference, writes) = await RunAsync(null, spec);
        for (var number = 1; number <= writes; number++)
        {
            var (model, _) = await RunAsync((number, fault), spec);
            Assert.True(reference.AsSpan().SequenceEqual(model), $"Other bytes under {rule} after {fault} at write {number} of {writes}.");
        }

        output.WriteLine($"{writes} writes under {rule}, each with {fault}.");
    }

    // PITFALLS 45: the sum of the clients' vectors changes once, with the model, or not at all.
    [Theory]
    [InlineData(LocalSolvers.Scaffold, 1, StoreFault.CrashBefore)]
    [InlineData(LocalSolvers.Scaffold, 1, StoreFault.CrashAfter)]
    [InlineData(LocalSolvers.Scaffold, 2, StoreFault.CrashAfter)]
    [InlineData(LocalSolvers.FedDyn, 1, StoreFault.CrashAfter)]
    public async Task RunAsync_SolverWithMemoryCrashAtEachWriteAndJournalLost_EndsInTheSameModelAndSum(string solver, int levels, StoreFault fault)
    {
        var spec = Spec with
        {
            Training = new TrainingSpec { Solver = solver, ProximalMu = solver == LocalSolvers.FedDyn ? 0.5 : 0, BatchSize = 4 },
            Aggregation = new AggregationSpec { Weighting = Weightings.Uniform, Levels = levels },
            Optimizer = new OptimizerSpec(),
        };
        var (reference, writes) = await RunAsync(null, spec);
        for (var number = 1; number <= writes; number++)
        {
            var (model, _) = await RunAsync((number, fault), spec);
            Assert.True(reference.AsSpan().SequenceEqual(model), $"Other bytes under {solver} after {fault} at write {number} of {writes}.");
        }

        output.WriteLine($"{writes} writes under {solver}, each with {fault}.");
    }

    [Theory]
    [InlineData(StoreFault.FailBefore)]
    [InlineData(StoreFault.FailAfter)]
    [InlineData(StoreFault.Full)]
    public async Task RunAsync_FailureAtEachWrite_IsRetriedToTheSameBytes(StoreFault fault)
    {
        var (reference, writes) = await RunAsync(null);
        for (var number = 1; number <= writes; number++)
        {
            var (model, _) = await RunAsync((number, fault));
            Assert.True(reference.AsSpan().SequenceEqual(model), $"Other bytes after {fault} at write {number} of {writes}.");
        }
    }

    private static RunSpec Spec => SimulatedFederation.Spec(Rounds) with { Optimizer = new OptimizerSpec { Name = "fedavgm" } };

    /// <returns>The weights of the last version, and its solver's sum where it has one.</returns>
    private static async Task<(byte[] Model, int Writes)> RunAsync((int Number, StoreFault Fault)? plan, RunSpec? spec = null)
    {
        var disk = new InMemoryObjectStore();
        var clients = new SimulatedClients(disk, ClientCount);
        foreach (var client in clients.Ids)
        {
            await disk.PutBytesAsync(StoreNames.Member("default", client), default, PutCondition.CreateOnce, CancellationToken.None);
        }

        await SimulatedFederation.CreateAsync(disk, spec ?? Spec);
        var store = plan is { } hurt ? FaultInjectingStore.At(disk, hurt.Number, hurt.Fault) : new FaultInjectingStore(disk);
        await using (var federation = new SimulatedFederation(disk, clients, store))
        {
            await federation.RunUntilDeadOrDoneAsync(store);
        }

        if (store.HasCrashed)
        {
            await using var recovered = new SimulatedFederation(disk, clients);
            await recovered.RunAsync();
        }

        await CheckAsync(disk, clients);
        var version = await disk.GetAsync(StoreNames.ModelPointer("digits"), StoreJson.Default.PointerDocument, CancellationToken.None);
        var sum = disk.Peek(StoreNames.SolverSum("digits", version.Value.Version));
        Assert.Equal(spec?.Training.Solver is LocalSolvers.Scaffold or LocalSolvers.FedDyn, sum is not null);
        return ([.. disk.Peek(StoreNames.Weights("digits", version.Value.Version))!, .. sum ?? []], store.WriteCount);
    }

    private static async Task CheckAsync(InMemoryObjectStore disk, SimulatedClients clients)
    {
        var outcome = await disk.GetAsync(StoreNames.RunOutcome(SimulatedFederation.RunId), StoreJson.Default.RunOutcomeDocument, CancellationToken.None);
        Assert.Equal((RunStates.Completed, Rounds), (outcome.Value.State, outcome.Value.Published));
        for (var round = 1; round <= Rounds; round++)
        {
            var seal = await disk.GetAsync(StoreNames.Seal(SimulatedFederation.RunId, round), StoreJson.Default.SealDocument, CancellationToken.None);
            Assert.Equal(clients.Ids, seal.Value.Receipts);
            var manifest = await disk.GetAsync(
                StoreNames.Manifest("digits", $"run-r{round}"), StoreJson.Default.ModelManifest, CancellationToken.None);
            Assert.Equal(Digest.Of(disk.Peek(manifest.Value.Weights.Object)!), manifest.Value.Weights.Digest);
        }
    }
}
