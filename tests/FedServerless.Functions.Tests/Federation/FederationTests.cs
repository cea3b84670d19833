using FedServerless.Activities.Privacy;
using FedServerless.Activities.State;
using FedServerless.Privacy;
using FedServerless.Storage;
using FedServerless.Testing.Engine;
using FedServerless.Testing.Federation;
using FedServerless.Testing.Storage;
using FedServerless.Wire;
using FedServerless.Workflows;
using FedServerless.Workflows.Engine;
using FedServerless.Workflows.Rounds;

namespace FedServerless.Functions.Tests.Federation;

/// <summary>Whole runs on Microsoft.DurableTask: the same spec, seed and updates give the bytes that the embedded engine gives.</summary>
[Collection("one run at a time")]
public sealed class FederationTests(AzuriteFixture azurite)
{
    private const int Clients = 5;
    private const int Rounds = 3;

    [Fact]
    public async Task Run_OnDurable_GivesTheBytesOfTheEmbeddedEngineInShortMessages()
    {
        var store = new InMemoryObjectStore();
        await using var federation = await CreateAsync(store);
        federation.Bind(federation.Engine);

        var status = await federation.RunAsync("run");

        Assert.Equal((null, WorkflowPhase.Completed), (status.Error, status.Phase));
        Assert.Equal(await EmbeddedAsync(), await DurableFederation.ServedAsync(store));
        Assert.True(federation.Messages.Count > Rounds * 20, $"{federation.Messages.Count} messages");
        Assert.All(federation.Messages, message => Assert.InRange(message.Bytes, 1, WorkflowLimits.MaxMessageBytes));
    }

    [Fact]
    public async Task Run_OnDurableAndAzurite_GivesTheBytesOfTheEmbeddedEngine()
    {
        using var store = await azurite.NewStoreAsync(TestContext.Current.CancellationToken);
        await using var federation = await CreateAsync(store);
        federation.Bind(federation.Engine);

        var status = await federation.RunAsync("run");

        Assert.Equal((null, WorkflowPhase.Completed), (status.Error, status.Phase));
        Assert.Equal(await EmbeddedAsync(), await DurableFederation.ServedAsync(store));
    }

    [Fact]
    public async Task Run_PrivateOnDurable_ChargesEveryRoundOnceAndLeavesNothingUnNoised()
    {
        var store = new InMemoryObjectStore();
        foreach (var client in new SimulatedClients(store, Clients).Ids)
        {
            await store.PutBytesAsync(StoreNames.Member("default", client), default, PutCondition.CreateOnce, CancellationToken.None);
        }

        var ledger = new PrivacyLedger(store, TimeProvider.System);
        await ledger.SetBudgetAsync("default", new BudgetSetting(50, 1e-6, Clients), "officer", CancellationToken.None);
        await SimulatedFederation.CreateAsync(store, SimulatedFederation.Spec(rounds: 2) with
        {
            RetainUpdates = false,
            Round = new RoundSpec { DeadlineSeconds = 2 },
            Selection = new SelectionSpec { Kind = Selections.Poisson, Rate = 1, QuarantineAfter = 0 },
            Aggregation = new AggregationSpec { Weighting = Weightings.Uniform },
            Privacy = new PrivacySpec { Clients = Clients, NoiseMultiplier = 1, AdaptiveClip = new AdaptiveClipSpec { BitNoise = 1 } },
        });
        await using var federation = new DurableFederation(store, Clients);
        federation.Bind(federation.Engine);

        var status = await federation.RunAsync("run");

        Assert.Equal((null, WorkflowPhase.Completed), (status.Error, status.Phase));
        Assert.Equal(2, (await ledger.ReadAsync("default", CancellationToken.None)).Keys.Count(key => key.Value.Status == LedgerStatus.Charged));
        Assert.DoesNotContain(store.Names, name => name.StartsWith("updates/", StringComparison.Ordinal) || name.Contains("/slices/", StringComparison.Ordinal));
        Assert.Empty(store.Peek(StoreNames.NoisySum("run", 2, 0))!);
    }

    [Fact]
    public async Task Run_WhoseHistoryIsOfOtherCode_FailsAndRecoversToTheSameBytes()
    {
        var store = new InMemoryObjectStore();
        await using var federation = await CreateAsync(store);
        federation.Bind(federation.Engine, new OlderRoundWorkflow());
        await federation.StartAsync("run");
        var round = RoundWorkflow.InstanceId("run", 1);
        await WaitForAsync(federation.Engine, round, OlderRoundWorkflow.Waiting);

        await federation.Engine.RestartAsync(engine => federation.Bind(engine));
        await federation.Engine.Client.WakeAsync(round, WakeEvents.Quorum, CancellationToken.None);
        var child = await federation.Engine.CompleteAsync(round);
        var run = await federation.Engine.CompleteAsync("run");

        Assert.Equal((WorkflowPhase.Failed, WorkflowPhase.Failed), (child.Phase, run.Phase));
        Assert.Contains("NonDeterministic", child.Error, StringComparison.Ordinal);
        var recovered = await federation.RunAsync("run~1");
        Assert.Equal((null, WorkflowPhase.Completed), (recovered.Error, recovered.Phase));
        Assert.Equal(await EmbeddedAsync(), await DurableFederation.ServedAsync(store));
    }

    private static async Task<DurableFederation> CreateAsync(IObjectStore store)
    {
        await SimulatedFederation.CreateAsync(store, SimulatedFederation.Spec(Rounds));
        return new DurableFederation(store, Clients);
    }

    private static async Task<string> EmbeddedAsync()
    {
        var disk = new InMemoryObjectStore();
        await SimulatedFederation.CreateAsync(disk, SimulatedFederation.Spec(Rounds));
        await using var federation = new SimulatedFederation(disk, new SimulatedClients(disk, Clients));
        await federation.RunAsync();
        return await DurableFederation.ServedAsync(disk);
    }

    private static async Task WaitForAsync(IEngineFixture engine, string instance, string status)
    {
        for (var end = engine.UtcNow.AddMinutes(1); (await engine.Client.GetStatusAsync(instance, CancellationToken.None))?.Status != status;)
        {
            Assert.True(engine.UtcNow < end, $"{instance} never came to '{status}'.");
            await engine.AdvanceAsync(TimeSpan.FromMilliseconds(50));
        }
    }

    /// <summary>A round as an earlier version of the product might have done it: it counts before it opens, and then waits.</summary>
    private sealed class OlderRoundWorkflow : IWorkflow<RoundInput, RoundOutcome>
    {
        public const string Waiting = "an older round waits";

        public async Task<Turn<RoundInput, RoundOutcome>> RunAsync(IWorkflowContext context, RoundInput input)
        {
            await context.CallAsync(RoundActivities.PlanRound, input);
            await context.CallAsync(RoundActivities.CountReceipts, input);
            context.SetStatus(Waiting);
            await context.WaitForEventAsync(WakeEvents.Quorum, context.UtcNow.AddDays(1));
            return Turn<RoundInput, RoundOutcome>.Done(await context.CallAsync(RoundActivities.CloseRound, new CloseInput(input.Run, input.Round, null, null)));
        }
    }
}
