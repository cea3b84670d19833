using FedServerless.Activities.State;
using FedServerless.Testing.Federation;
using FedServerless.Testing.Storage;
using FedServerless.Wire;
using FedServerless.Workflows.Rounds;
using FedServerless.Workflows.Runs;

namespace FedServerless.Orchestrations.Tests.Runs;

/// <summary>A run whose journal is gone goes on with what it was in the middle of, before it asks who is there and what is wanted.</summary>
public sealed class ResumedRunTests
{
    private const string Run = SimulatedFederation.RunId;

    private static readonly RoundInput First = new(Run, 1);

    private readonly InMemoryObjectStore _disk = new();

    [Fact]
    public async Task DecideStep_ClientsVanishOnceItHasDecided_TheRoundIsForThoseItSaw()
    {
        var clients = new SimulatedClients(_disk, 3);
        await using var federation = await CreateAsync(clients, SimulatedFederation.Spec() with { Round = new RoundSpec { Minimum = 3 } });
        await federation.Activities.DecideStep.RunAsync(new RunProgress(Run), CancellationToken.None);
        clients.Present = ["client-000"];

        var planned = await federation.Activities.PlanRound.RunAsync(First, CancellationToken.None);

        Assert.Equal(3, planned.Cohort);
    }

    [Fact]
    public async Task RunAsync_RoundSealedAndEverybodyGone_PublishesIt()
    {
        var clients = new SimulatedClients(_disk, 2);
        await using var federation = await CreateAsync(clients, SimulatedFederation.Spec());
        await SealFirstRoundAsync(federation);
        clients.Present = [];

        Assert.Equal(RunStates.Completed, (await federation.RunAsync()).State);
    }

    [Theory]
    [InlineData("pause")]
    [InlineData("stop")]
    public async Task DecideStep_InTheMiddleOfARound_FinishesItFirst(string desired)
    {
        await using var federation = await CreateAsync(new SimulatedClients(_disk, 2), SimulatedFederation.Spec());
        await OpenFirstRoundAsync(federation);
        await federation.SetControlAsync(desired);

        var step = await federation.Activities.DecideStep.RunAsync(new RunProgress(Run), CancellationToken.None);

        Assert.Equal((RunStepKind.Round, 1), (step.Kind, step.Progress.Round));
    }

    [Fact]
    public async Task RunAsync_StoppedInTheMiddleOfARound_SealsItAndOffersItNoMore()
    {
        await using var federation = await CreateAsync(new SimulatedClients(_disk, 2), SimulatedFederation.Spec());
        await OpenFirstRoundAsync(federation);
        await federation.SetControlAsync("stop");

        var result = await federation.RunAsync();

        Assert.Equal(RunStates.Stopped, result.State);
        var seal = await _disk.GetAsync(StoreNames.Seal(Run, 1), StoreJson.Default.SealDocument, CancellationToken.None);
        Assert.False(seal.Value.Aggregate);
        Assert.DoesNotContain(_disk.Names, name => name.StartsWith(StoreNames.OpenWork("default"), StringComparison.Ordinal));
    }

    [Fact]
    public async Task DecideStep_GoesOnWithoutTheSealOfAnEvaluation_DoesNotAskForItForEver()
    {
        var spec = SimulatedFederation.Spec(rounds: 2) with { Evaluation = new EvaluationSpec { DeadlineSeconds = 10 } };
        await using var federation = await CreateAsync(new SimulatedClients(_disk, 2), spec);
        await federation.Activities.DecideStep.RunAsync(new RunProgress(Run), CancellationToken.None);
        await federation.RunRoundAsync();

        var step = await federation.Activities.DecideStep.RunAsync(new RunProgress(Run, Round: 2, Published: 1), CancellationToken.None);

        Assert.Equal(RunStepKind.Round, step.Kind);
    }

    [Fact]
    public async Task RunAsync_EvaluationWasDue_SealsItBeforeTheNextRound()
    {
        var spec = SimulatedFederation.Spec(rounds: 2) with { Evaluation = new EvaluationSpec { DeadlineSeconds = 10 } };
        await using var federation = await CreateAsync(new SimulatedClients(_disk, 2), spec);
        await federation.Activities.DecideStep.RunAsync(new RunProgress(Run), CancellationToken.None);
        Assert.True((await federation.RunRoundAsync()).EvaluationDue);

        var step = await federation.Activities.DecideStep.RunAsync(new RunProgress(Run), CancellationToken.None);
        await federation.RunAsync();

        Assert.Equal((RunStepKind.Evaluation, 2), (step.Kind, step.Progress.Round));
        Assert.Contains(StoreNames.EvaluationSeal(Run, 1), _disk.Names);
        Assert.Contains(StoreNames.EvaluationSeal(Run, 2), _disk.Names);
    }

    private async Task<SimulatedFederation> CreateAsync(SimulatedClients clients, RunSpec spec)
    {
        await SimulatedFederation.CreateAsync(_disk, spec);
        return new SimulatedFederation(_disk, clients);
    }

    private static async Task OpenFirstRoundAsync(SimulatedFederation federation)
    {
        await federation.Activities.DecideStep.RunAsync(new RunProgress(Run), CancellationToken.None);
        await federation.Activities.OpenRound.RunAsync(First, CancellationToken.None);
    }

    private static async Task SealFirstRoundAsync(SimulatedFederation federation)
    {
        await OpenFirstRoundAsync(federation);
        await federation.Clients.AnswerAsync(Run, 1, CancellationToken.None);
        await federation.Activities.SealRound.RunAsync(First, CancellationToken.None);
    }
}
