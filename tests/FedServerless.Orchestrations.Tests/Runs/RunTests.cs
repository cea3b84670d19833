using FedServerless.Activities.Runs;
using FedServerless.Activities.State;
using FedServerless.Orchestrations.Tests.Rounds;
using FedServerless.Testing.Federation;
using FedServerless.Testing.Storage;
using FedServerless.Wire;
using FedServerless.Workflows.Runs;

namespace FedServerless.Orchestrations.Tests.Runs;

public sealed class RunTests
{
    // PITFALLS 41: nobody came, so the model stays.
    [Fact]
    public async Task RunAsync_NobodyAnswersFiveTimes_StallsWithTheReason()
    {
        var disk = new InMemoryObjectStore();
        var clients = new SimulatedClients(disk, 2) { Silent = { "client-000", "client-001" } };
        await using var federation = new SimulatedFederation(disk, clients);
        await SimulatedFederation.CreateAsync(disk, SimulatedFederation.Spec());

        var result = await federation.RunAsync();

        Assert.Equal(RunStates.Stalled, result.State);
        Assert.Contains("0 receipts by the deadline, at least 1 were needed", result.Reason, StringComparison.Ordinal);
        Assert.Equal(5, disk.Names.Count(name => name.EndsWith("/outcome.json", StringComparison.Ordinal) && name.Contains("/rounds/", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task RunAsync_OneAbandonedRound_ConsumesItsNumberAndGoesOn()
    {
        var disk = new InMemoryObjectStore();
        var clients = new SimulatedClients(disk, 2) { Tamper = (plan, _, update) => plan.Round == 1 ? null : update };
        await using var federation = new SimulatedFederation(disk, clients);
        await SimulatedFederation.CreateAsync(disk, SimulatedFederation.Spec());

        await federation.RunAsync();

        var outcome = await disk.GetAsync(StoreNames.RunOutcome(SimulatedFederation.RunId), StoreJson.Default.RunOutcomeDocument, CancellationToken.None);
        Assert.Equal((2, 1, "run-r2"), (outcome.Value.Round, outcome.Value.Published, outcome.Value.Version));
    }

    [Fact]
    public async Task RunAsync_NoModelAndNoArchitecture_EndsFailedAndSaysWhatToDo()
    {
        var disk = new InMemoryObjectStore();
        await using var federation = new SimulatedFederation(disk, new SimulatedClients(disk, 1));
        await SimulatedFederation.CreateAsync(disk, SimulatedFederation.Spec() with { Architecture = null });

        var result = await federation.RunAsync();

        Assert.Equal(RunStates.Failed, result.State);
        Assert.Contains("fed model put digits FILE", result.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task DecideStep_TooFewSeen_WaitsAndSaysHowManyAreMissing()
    {
        var disk = new InMemoryObjectStore();
        await using var federation = new SimulatedFederation(disk, new SimulatedClients(disk, 2));
        await SimulatedFederation.CreateAsync(disk, SimulatedFederation.Spec() with { Round = new RoundSpec { Minimum = 3 } });

        var step = await federation.Activities.DecideStep.RunAsync(new RunProgress(SimulatedFederation.RunId), CancellationToken.None);

        Assert.Equal(RunStepKind.WaitForClients, step.Kind);
        Assert.Contains("2 of 3", step.Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(2, RunStepKind.WaitForClients)]
    [InlineData(3, RunStepKind.Round)]
    [InlineData(4, RunStepKind.Round)]
    public async Task DecideStep_SeenAroundTheMinimum_DecidesByIt(int seen, RunStepKind expected)
    {
        var disk = new InMemoryObjectStore();
        await using var federation = new SimulatedFederation(disk, new SimulatedClients(disk, seen));
        await SimulatedFederation.CreateAsync(disk, SimulatedFederation.Spec() with { Round = new RoundSpec { Minimum = 3 } });

        var step = await federation.Activities.DecideStep.RunAsync(new RunProgress(SimulatedFederation.RunId), CancellationToken.None);

        Assert.Equal(expected, step.Kind);
    }

    [Theory]
    [InlineData(ControlStates.Pause, RunStepKind.WaitForOperator)]
    [InlineData(ControlStates.Stop, RunStepKind.Ended)]
    [InlineData(ControlStates.Run, RunStepKind.Round)]
    public async Task DecideStep_Control_DecidesAtTheRoundBoundary(string desired, RunStepKind expected)
    {
        var disk = new InMemoryObjectStore();
        await using var federation = new SimulatedFederation(disk, new SimulatedClients(disk, 2));
        await SimulatedFederation.CreateAsync(disk, SimulatedFederation.Spec());
        await federation.SetControlAsync(desired);

        var step = await federation.Activities.DecideStep.RunAsync(new RunProgress(SimulatedFederation.RunId), CancellationToken.None);

        Assert.Equal(expected, step.Kind);
    }

    [Fact]
    public async Task RunAsync_StoppedWhileARoundIsOpen_SealsItAsAbandoned()
    {
        var disk = new InMemoryObjectStore();
        var clients = new SimulatedClients(disk, 2) { Silent = { "client-001" } };
        await using var federation = new SimulatedFederation(disk, clients);
        clients.Tamper = (_, _, update) => { federation.SetControlAsync(ControlStates.Stop).GetAwaiter().GetResult(); return update; };
        await SimulatedFederation.CreateAsync(disk, SimulatedFederation.Spec());

        var result = await federation.RunAsync();

        Assert.Equal(RunStates.Stopped, result.State);
        var seal = await disk.GetAsync(StoreNames.Seal(SimulatedFederation.RunId, 1), StoreJson.Default.SealDocument, CancellationToken.None);
        Assert.Equal((false, "stopped by the operator"), (seal.Value.Aggregate, seal.Value.Reason));
    }

    [Fact]
    public async Task RunAsync_StoppedAfterTheSeal_StillPublishesTheRound()
    {
        var disk = new InMemoryObjectStore();
        await using var federation = new SimulatedFederation(disk, new SimulatedClients(disk, 2));
        await SimulatedFederation.CreateAsync(disk, SimulatedFederation.Spec(rounds: 5));
        await Plans.ReplaceAsync(federation, plan => plan);
        var round = new Workflows.Rounds.RoundInput(SimulatedFederation.RunId, 1);
        await federation.Activities.OpenRound.RunAsync(round, CancellationToken.None);
        await federation.Clients.AnswerAsync(round.Run, 1, CancellationToken.None);
        await federation.Activities.SealRound.RunAsync(round, CancellationToken.None);
        await federation.SetControlAsync(ControlStates.Stop);

        Assert.Equal(Workflows.Rounds.RoundOutcomeKind.Published, (await federation.RunRoundAsync()).Kind);
        Assert.Equal(RunStates.Stopped, (await federation.RunAsync()).State);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(7)]
    [InlineData(8)]
    public async Task DecideStep_StartedFromNothing_FindsTheRoundFromBlobs(int done)
    {
        var disk = new InMemoryObjectStore();
        await using var federation = new SimulatedFederation(disk, new SimulatedClients(disk, 2));
        await SimulatedFederation.CreateAsync(disk, SimulatedFederation.Spec(rounds: 100));
        for (var round = 1; round <= done; round++)
        {
            var outcome = new RoundOutcomeDocument(true, null, $"run-r{round}", 2, 2, 2, 0, 0, new Dictionary<string, double>(StringComparer.Ordinal), round, 0);
            await disk.PutAsync(
                StoreNames.RoundOutcome(SimulatedFederation.RunId, round), outcome, StoreJson.Default.RoundOutcomeDocument, Storage.PutCondition.CreateOnce, CancellationToken.None);
        }

        var step = await federation.Activities.DecideStep.RunAsync(new RunProgress(SimulatedFederation.RunId), CancellationToken.None);

        Assert.Equal((done + 1, done), (step.Progress.Round, step.Progress.Published));
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    [InlineData(4, 8)]
    public void BackOffSeconds_RoundsAbandonedInARow_Doubles(int abandoned, double seconds) =>
        Assert.Equal(seconds, RunPauses.BackOffSeconds(abandoned));
}
