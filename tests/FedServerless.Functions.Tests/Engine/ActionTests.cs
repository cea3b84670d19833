using System.Diagnostics.Metrics;
using FedServerless.Testing.Engine;
using FedServerless.Workflows;
using FedServerless.Workflows.Engine;
using FedServerless.Workflows.Rounds;
using FedServerless.Workflows.Runs;

namespace FedServerless.Functions.Tests.Engine;

/// <summary>
/// What rounds cost on Durable, in the product's own workflows over activities that only answer. Counted twice: by the adapter and,
/// independently, by the backend that was asked.
/// </summary>
[Collection("one run at a time")]
public sealed class ActionTests : IDisposable
{
    private const int MostActions = 1500;

    private readonly MeterListener _listener = new();
    private readonly List<(string Workflow, int Actions)> _counted = [];
    private readonly RegistryBuilder _registry = new(WorkflowJson.Default);

    public ActionTests()
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Name == "fedserverless.engine.actions")
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<int>((_, actions, tags, _) =>
        {
            // Other tests run workflows of their own at the same time, under other names or in this class's collection.
            var workflow = (string)tags[0].Value!;
            if (workflow is "TrainingRun" or "Round")
            {
                lock (_counted)
                {
                    _counted.Add((workflow, actions));
                }
            }
        });
        _listener.Start();
    }

    [Fact]
    public async Task Round_OfSevenDaysWithEveryStageFullAndManyWakes_TakesAtMost1500Actions()
    {
        var host = Bind(rounds: 1, days: 7, tasks: RoundStages.MaxOwnTasks);
        for (var wake = 1; wake <= 300; wake++)
        {
            host.At(host.Now.AddMinutes(wake * 30), () => host.Raise("run~r000001", WakeEvents.Quorum));
        }

        await RunAsync(host);

        Assert.InRange(_counted.Sum(entry => entry.Actions), 1000, MostActions);
        Assert.InRange(host.Asked.Values.Sum(), 1000, MostActions);
    }

    [Fact]
    public async Task Round_OfSevenDaysThatNobodyWakes_TakesAtMost1500ActionsAndEndsInTime()
    {
        var host = Bind(rounds: 1, days: 7, tasks: RoundStages.MaxOwnTasks);
        var began = host.Now;

        await RunAsync(host);

        Assert.InRange(host.Asked.Values.Sum(), 900, MostActions);
        Assert.InRange((host.Now - began).TotalDays, 7, 7.2);
    }

    [Fact]
    public async Task Round_WhoseEndIsNeverTold_IsFoundByLooking()
    {
        var host = Bind(rounds: 1, days: 1, tasks: 8);
        host.LosesEvents = true;
        var began = host.Now;

        await RunAsync(host);

        // The pauses double up to four hours, so the end is found at most those four hours late.
        Assert.InRange((host.Now - began).TotalHours, 24, 28.1);
        Assert.InRange(host.Asked.Values.Sum(), 200, MostActions);
    }

    [Fact]
    public async Task Run_OfTwoHundredRounds_TakesNoMoreForTheLastThanForTheFirst()
    {
        var host = Bind(rounds: 200, days: 0.01, tasks: 8);

        await RunAsync(host);

        var rounds = _counted.Where(entry => entry.Workflow == "Round").Select(entry => entry.Actions).ToList();
        var generations = _counted.Where(entry => entry.Workflow == "TrainingRun").Select(entry => entry.Actions).ToList();
        Assert.Equal((200, 201), (rounds.Count, generations.Count));
        Assert.InRange(rounds.Max() - rounds.Min(), 0, 2);
        Assert.InRange(generations.Max(), 1, 40);

        // The adapter counts each round's one wait too; the backend is not asked for that.
        Assert.Equal(rounds.Sum() - 200, host.Asked.Where(entry => entry.Key.Contains('~', StringComparison.Ordinal)).Sum(entry => entry.Value));
    }

    public void Dispose() => _listener.Dispose();

    private static async Task RunAsync(SimulatedDurable host)
    {
        await host.Client.StartAsync(TrainingRunWorkflow.Definition, "run", new RunProgress("run"), CancellationToken.None);
        await host.RunAsync();
        var status = await host.Client.GetStatusAsync("run", CancellationToken.None);
        Assert.Equal((null, WorkflowPhase.Completed), (status!.Error, status.Phase));
    }

    private SimulatedDurable Bind(int rounds, double days, int tasks)
    {
        SimulatedDurable host = null!;
        On(RunActivities.DecideStep, progress => progress.Round <= rounds && progress.Published < rounds
            ? new RunStep(RunStepKind.Round, progress with { Round = progress.Published + 1 })
            : new RunStep(RunStepKind.Ended, progress, State: "Completed"));
        On(RoundActivities.PlanRound, _ => new RoundPlanned(10, tasks));
        On(RoundActivities.OpenRound, _ => new CollectionOpened(host.Now, host.Now.AddDays(days)));
        On(RoundActivities.CountReceipts, _ => new CollectionCount(0, false));
        On(RoundActivities.SealRound, _ => new RoundSealed(true, tasks));
        On(RoundActivities.ValidateUpdates, _ => 1);
        On(RoundActivities.AcceptUpdates, _ => new RoundAccepted(10, true, tasks));
        On(RoundActivities.FoldChunks, _ => 1);
        On(RoundActivities.ReduceShard, _ => new ShardReduced(true));
        On(RoundActivities.PublishModel, _ => new ModelPublished("v", null));
        On(RoundActivities.CloseRound, _ => new RoundOutcome(RoundOutcomeKind.Published, null, "v", false, tasks));
        On(RoundActivities.CleanUpdates, _ => 1);
        _registry.Bind(TrainingRunWorkflow.Definition, new TrainingRunWorkflow());
        _registry.Bind(RoundWorkflow.Definition, new RoundWorkflow());
        return host = new SimulatedDurable(_registry.Build());
    }

    private void On<TInput, TOutput>(Activity<TInput, TOutput> activity, Func<TInput, TOutput> code) =>
        _registry.Bind(activity, new LambdaActivity<TInput, TOutput>((input, _) => Task.FromResult(code(input))));
}
