using FedServerless.Activities.Runs;
using FedServerless.Activities.State;
using FedServerless.Client;
using FedServerless.Model;
using FedServerless.Testing.Federation.Hosted;
using FedServerless.Wire;

namespace FedServerless.EndToEnd.Tests;

/// <summary>What an operator can ask of a run, over HTTP with real clients.</summary>
public sealed class RunFeatureTests
{
    private const double ADay = 24 * 3600;

    [Fact]
    public async Task Pause_InARound_ActsAtItsEndUntilResumed()
    {
        await using var federation = await HostedFederation.StartedAsync();
        var holdsBack = new TaskCompletionSource();
        await EnrolAsync(federation, 2, _ => holdsBack.Task);
        await federation.Operator.StartRunAsync("run", Specs.Small(clients: 2, rounds: 2));
        await federation.Operator.WaitForRunAsync("run", run => run.Round == 1);

        await federation.Operator.SteerAsync("run", "pause");
        holdsBack.SetResult();
        var paused = await federation.Operator.WaitForRunAsync("run", run => run.State == RunStates.Paused);
        await federation.Operator.SteerAsync("run", "resume");
        var ended = await federation.Operator.WaitForEndAsync("run");

        Assert.Equal((1, 2), (paused.PublishedRounds, ended.PublishedRounds));
    }

    [Fact]
    public async Task Stop_RoundOpenForADay_SealsItAsAbandonedAtOnce()
    {
        await using var federation = await HostedFederation.StartedAsync();
        await EnrolAsync(federation, 2, _ => Task.Delay(Timeout.Infinite, TestContext.Current.CancellationToken));
        var spec = Specs.Small(clients: 2, rounds: 2) with { Round = new RoundSpec { Minimum = 2, DeadlineSeconds = ADay } };
        await federation.Operator.StartRunAsync("run", spec);
        await federation.Operator.WaitForRunAsync("run", run => run.Round == 1);

        await federation.Operator.SteerAsync("run", "stop");
        var ended = await federation.Operator.WaitForEndAsync("run");

        Assert.Equal((RunStates.Stopped, 0), (ended.State, ended.PublishedRounds));
        Assert.Equal("abandoned", (await federation.Operator.RoundAsync("run", 1)).State);
    }

    [Fact]
    public async Task Selection_OneInvitedMoreThanNeeded_DoesNotWaitForTheStraggler()
    {
        await using var federation = await HostedFederation.StartedAsync();
        await EnrolAsync(federation, 3, client => client == "client-000" ? Task.Delay(Timeout.Infinite, TestContext.Current.CancellationToken) : Task.CompletedTask);
        var spec = Specs.Small(clients: 2, rounds: 1) with
        {
            Selection = new SelectionSpec { Kind = Selections.Uniform, Clients = 2, OverSelection = 0.5 },
            Round = new RoundSpec { Minimum = 2, DeadlineSeconds = ADay },
        };

        // Three are seen before the run starts: else it would begin with two, and one of them may be the straggler.
        await WaitUntilSeenAsync(federation, 3);
        await federation.Operator.StartRunAsync("run", spec);
        var ended = await federation.Operator.WaitForEndAsync("run");

        var round = await federation.Operator.RoundAsync("run", 1);
        Assert.Equal((RunStates.Completed, 3, 2, 2), (ended.State, round.Cohort, round.Receipts, round.Accepted));
        await Consistency.CheckAsync(federation, "run", 1);
    }

    [Fact]
    public async Task Selection_Poisson_TakesWhoeverChanceNamesAndOnlyThose()
    {
        await using var federation = await HostedFederation.StartedAsync();
        await federation.EnrolAndStartAsync(4);
        await WaitUntilSeenAsync(federation, 4);
        var spec = Specs.Small(clients: 1, rounds: 4) with { Selection = new SelectionSpec { Kind = Selections.Poisson, Rate = 0.5 } };

        await federation.Operator.StartRunAsync("run", spec);
        var ended = await federation.Operator.WaitForEndAsync("run");

        Assert.Equal((RunStates.Completed, 4), (ended.State, ended.PublishedRounds));
        var cohorts = new List<int>();
        for (var round = 1; round <= ended.Round; round++)
        {
            var view = await federation.Operator.RoundAsync("run", round);
            Assert.Equal(view.Cohort, view.Receipts);
            cohorts.Add(view.Cohort);
        }

        Assert.InRange(cohorts.Distinct().Count(), 2, 5);
        await Consistency.CheckAsync(federation, "run", ended.Round);
    }

    [Fact]
    public async Task Evaluation_DesignatedClient_StopsTheRunAtTheTarget()
    {
        await using var federation = await HostedFederation.StartedAsync();
        var judge = FedTrainer.Create(
            context => new FitResult(10),
            context => new EvaluationResult(20, 1.0 / context.Round, 0.3 * context.Round));
        (await federation.EnrolAsync("judge", judge)).Start();
        await federation.EnrolAndStartAsync(1);
        var spec = Specs.Small(clients: 2, rounds: 50) with { Evaluation = new EvaluationSpec { Clients = ["judge"], TargetAccuracy = 0.85, DeadlineSeconds = ADay } };

        await federation.Operator.StartRunAsync("run", spec);
        var ended = await federation.Operator.WaitForEndAsync("run");

        Assert.Equal((RunStates.Completed, 3), (ended.State, ended.PublishedRounds));
        Assert.Contains("accuracy", ended.Reason, StringComparison.Ordinal);
        Assert.Equal(0.6, (await federation.Operator.RoundAsync("run", 2)).Metrics["eval." + MetricNames.Accuracy], 12);
    }

    [Fact] // PITFALLS 53: evaluations end a run; they never choose among its versions.
    public async Task Evaluation_LossGotWorse_EndsTheRunOnItsLastVersionNotItsBest()
    {
        await using var federation = await HostedFederation.StartedAsync();
        double[] losses = [1.0, 0.5, 0.9];
        var judge = FedTrainer.Create(context => new FitResult(10), context => new EvaluationResult(20, losses[context.Round - 1], 0.5));
        (await federation.EnrolAsync("judge", judge)).Start();
        await federation.EnrolAndStartAsync(1);
        var spec = Specs.Small(clients: 2, rounds: 50) with { Evaluation = new EvaluationSpec { Clients = ["judge"], Patience = 1, DeadlineSeconds = ADay } };

        await federation.Operator.StartRunAsync("run", spec);
        var ended = await federation.Operator.WaitForEndAsync("run");

        Assert.Equal(3, ended.PublishedRounds);
        Assert.Contains("has not improved on 0.5", ended.Reason, StringComparison.Ordinal);
        var served = await federation.Disk.GetAsync(StoreNames.ModelPointer(spec.Model), StoreJson.Default.PointerDocument, CancellationToken.None);
        Assert.Equal("run-r3", served.Value.Version);
    }

    [Fact]
    public async Task Run_OnAnUploadedModel_StartsFromItsBytes()
    {
        await using var federation = await HostedFederation.StartedAsync();
        await federation.EnrolAndStartAsync(2);
        var model = Architectures.Initialize(new ArchitectureSpec { Name = "mlp", Inputs = 6, Hidden = [5], Outputs = 3 }, 9);
        var bytes = ModelStateFile.ToBytes(model);
        await federation.Operator.PutModelAsync("mine", bytes);

        await federation.Operator.StartRunAsync("run", Specs.Small(clients: 2, rounds: 1) with { Model = "mine", Architecture = null });
        await federation.Operator.WaitForEndAsync("run");

        var plan = await federation.Disk.GetAsync(StoreNames.Plan("run", 1), StoreJson.Default.RoundPlan, CancellationToken.None);
        Assert.Equal(Digest.Of(bytes), plan.Value.Base.Digest);
        await Consistency.CheckAsync(federation, "run", 1);
    }

    [Fact]
    public async Task Commit_FirstThingAfterARestart_ClosesARoundThatWouldPollForHours()
    {
        await using var federation = await HostedFederation.StartedAsync();
        var restarted = new TaskCompletionSource();
        await EnrolAsync(federation, 2, _ => restarted.Task);
        var spec = Specs.Small(clients: 2, rounds: 1) with { Round = new RoundSpec { Minimum = 2, DeadlineSeconds = 20 * ADay } };
        await federation.Operator.StartRunAsync("run", spec);
        await federation.Operator.WaitForRunAsync("run", run => run.Round == 1);

        await federation.CrashAsync();
        await federation.StartAsync();
        restarted.SetResult();

        Assert.Equal(RunStates.Completed, (await federation.Operator.WaitForEndAsync("run")).State);
    }

    [Fact]
    public async Task Start_SecondHostOnTheFolder_IsRefusedNamingTheFirst()
    {
        await using var federation = await HostedFederation.StartedAsync(new HostedParts { AsProcess = true });

        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => HostProcess.StartAsync(federation.DataFolder));

        Assert.Contains($"{federation.Process.Id}", refused.Message, StringComparison.Ordinal);
    }

    private static async Task EnrolAsync(HostedFederation federation, int count, Func<string, Task> beforeTraining)
    {
        for (var i = 0; i < count; i++)
        {
            var id = $"client-{i:D3}";
            var trainer = new SeededTrainer(10 + i);
            (await federation.EnrolAsync(id, FedTrainer.Create(async (context, cancellationToken) =>
            {
                await beforeTraining(id).WaitAsync(cancellationToken);
                return await trainer.FitAsync(context, cancellationToken);
            }))).Start();
        }
    }

    private static async Task WaitUntilSeenAsync(HostedFederation federation, int count)
    {
        while ((await federation.Operator.GetAsync("clients", WireJson.Default.ListingClientView)).Items.Count(client => client.LastSeen is not null) < count)
        {
            await Task.Delay(5);
        }
    }
}
