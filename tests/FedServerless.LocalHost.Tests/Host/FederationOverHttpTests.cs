using FedServerless.Activities.State;
using FedServerless.Client;
using FedServerless.Gateway.Limits;
using FedServerless.Storage;
using FedServerless.Wire;
using Microsoft.Extensions.DependencyInjection;

namespace FedServerless.LocalHost.Tests.Host;

public sealed class FederationOverHttpTests
{
    private static readonly RunSpec Spec = new()
    {
        Model = "digits",
        Rounds = 2,
        Architecture = new ArchitectureSpec { Name = "softmax", Inputs = 4, Outputs = 3 },
        Round = new RoundSpec { Minimum = 2, Quorum = 2, DeadlineSeconds = 60 },
        Update = new UpdateSpec { BlockCoordinates = 1024 },
        Evaluation = new EvaluationSpec { Clients = ["alice"] },
    };

    [Fact]
    public async Task Run_TwoClientsOverHttp_CompletesEveryRound()
    {
        await using var host = await RunningHost.StartAsync();
        using var alice = await host.EnrolAsync("alice");
        using var bob = await host.EnrolAsync("bob");
        using var stop = new CancellationTokenSource();
        var clients = new[] { alice.RunAsync(Trainer(1), stop.Token), bob.RunAsync(Trainer(2), stop.Token) };

        await host.StartRunAsync("first", Spec);
        var run = await host.WaitForEndAsync("first");

        Assert.Equal((RunStates.Completed, 2, 2), (run.State, run.Round, run.PublishedRounds));
        var rounds = await host.GetAsync("runs/first/rounds", WireJson.Default.ListingRoundView);
        Assert.All(rounds.Items, round => Assert.Equal(("published", 2, 2, 0), (round.State, round.Receipts, round.Accepted, round.Verdicts.Count)));
        Assert.All(rounds.Items, round => Assert.Equal(0.5, round.Metrics["eval.loss"]));
        Assert.Equal(ReceiptStates.Included, (await alice.GetReceiptStatusAsync("first", 2)).State);
        var model = await host.GetAsync("models/digits", WireJson.Default.VersionView);
        Assert.Equal(("first-r2", true), (model.Version, model.Current));
        await StopAsync(stop, clients);
    }

    [Fact]
    public async Task Updates_RoundIsOver_AreGone()
    {
        await using var host = await RunningHost.StartAsync();
        using var alice = await host.EnrolAsync("alice");
        using var stop = new CancellationTokenSource();
        var client = alice.RunAsync(Trainer(1), stop.Token);

        await host.StartRunAsync("solo", Spec with { Rounds = 1, Round = new RoundSpec { DeadlineSeconds = 60 }, Evaluation = null });
        await host.WaitForEndAsync("solo");

        Assert.Equal(0, await host.Host.Store.CountAsync("updates/", CancellationToken.None));
        await StopAsync(stop, client);
    }

    [Fact]
    public async Task Run_ClientIsLimited_WaitsAsToldAndTakesPartAllTheSame()
    {
        await using var host = await RunningHost.StartAsync(with: options => options with
        {
            Limits = options.Limits with { Device = new TokenRate(2, 2) },
        });
        using var alice = await host.EnrolAsync("alice");
        using var stop = new CancellationTokenSource();
        var client = alice.RunAsync(Trainer(1), stop.Token);

        await host.StartRunAsync("slow", Spec with { Rounds = 1, Round = new RoundSpec { DeadlineSeconds = 60 }, Evaluation = null });
        var run = await host.WaitForEndAsync("slow");

        Assert.Equal((RunStates.Completed, 1), (run.State, run.PublishedRounds));
        Assert.NotEqual(0, host.Host.Services.GetRequiredService<RequestGate>().Limited);
        await StopAsync(stop, client);
    }

    [Fact]
    public async Task Run_MarkedStartedWithoutAnInstance_IsFoundAndCompleted()
    {
        await using var host = await RunningHost.StartAsync(with: options => options with
        {
            WatchEvery = TimeSpan.FromMilliseconds(20),
            Upkeep = options.Upkeep with { ConfirmAfter = TimeSpan.FromMilliseconds(20) },
        });
        using var alice = await host.EnrolAsync("alice");
        using var stop = new CancellationTokenSource();
        var client = alice.RunAsync(Trainer(1), stop.Token);
        var spec = Spec with { Rounds = 1, Round = new RoundSpec { DeadlineSeconds = 60 }, Evaluation = null };
        await host.PostAsync("runs", new CreateRunRequest("lost", spec), WireJson.Default.CreateRunRequest);

        await host.Host.Store.PutBytesAsync(StoreNames.RunStarted("lost"), default, PutCondition.CreateOnce, CancellationToken.None);

        Assert.Equal(RunStates.Completed, (await host.WaitForEndAsync("lost")).State);
        await StopAsync(stop, client);
    }

    private static IFedTrainer Trainer(float step) => FedTrainer.Create(
        (context, _) =>
        {
            context.Model.Parameters[0] += step;
            return ValueTask.FromResult(new FitResult(10));
        },
        (_, _) => ValueTask.FromResult(new EvaluationResult(5, 0.5)));

    private static async Task StopAsync(CancellationTokenSource stop, params Task[] clients)
    {
        await stop.CancelAsync();
        await Task.WhenAll(clients).ContinueWith(_ => { }, TaskScheduler.Default);
    }
}
