using FedServerless.Activities.State;
using FedServerless.Client;
using FedServerless.Storage;
using FedServerless.Testing.Federation.Hosted;
using FedServerless.Wire;

namespace FedServerless.EndToEnd.Tests;

/// <summary>A run that adapts, over HTTP, with real clients.</summary>
public sealed class AdaptationTests
{
    [Fact]
    public async Task Run_Adaptive_TrainsByTheChoiceThatReceiptsAndMetricsName()
    {
        await using var federation = await HostedFederation.StartedAsync();
        var trainers = new[] { new CountingTrainer(), new CountingTrainer() };
        foreach (var i in Enumerable.Range(0, trainers.Length))
        {
            (await federation.EnrolAsync($"client-{i:D3}", trainers[i])).Start();
        }

        // Seven passes are more than the bounds allow, and two rounds over loopback leave time for far more than four.
        var spec = Specs.Small(clients: trainers.Length, rounds: 2);
        await federation.Operator.StartRunAsync("run", spec with
        {
            Training = spec.Training with { Epochs = 7 },
            Update = spec.Update with { MinPartBytes = 256 << 10, PartBytes = 8 << 20 },
            Adaptation = new AdaptationSpec { MinEpochs = 2, MaxEpochs = 4, MaxBytesPerDay = RunLimits.MaxBytesPerDay },
        });
        var ended = await federation.Operator.WaitForEndAsync("run");

        Assert.Equal((RunStates.Completed, 2), (ended.State, ended.PublishedRounds));
        Assert.All(trainers, trainer => Assert.All(trainer.Epochs, epochs => Assert.Equal(4, epochs)));
        foreach (var round in (int[])[1, 2])
        {
            var view = await federation.Operator.RoundAsync("run", round);
            Assert.Equal((2, 4.0), (view.Accepted, view.Metrics["lease.epochs"]));
            var receipt = (await federation.Disk.GetAsync(StoreNames.Receipt("run", round, "client-000"), StoreJson.Default.ReceiptDocument, CancellationToken.None)).Value.Receipt;
            var lease = (await federation.Disk.GetAsync(StoreNames.Lease("run", round, "client-000"), StoreJson.Default.LeaseDocument, CancellationToken.None)).Value;
            Assert.Equal((lease.Choice, 256 << 10), (receipt.Choice, receipt.PartBytes));
        }
    }

    private sealed class CountingTrainer : IFedTrainer
    {
        public List<int> Epochs { get; } = [];

        public ValueTask<FitResult> FitAsync(FitContext context, CancellationToken cancellationToken)
        {
            Epochs.Add(context.Training.Epochs);
            context.Model.Parameters[0] += 0.5f;
            return ValueTask.FromResult(new FitResult(10));
        }

        public ValueTask<EvaluationResult> EvaluateAsync(EvaluateContext context, CancellationToken cancellationToken) =>
            ValueTask.FromResult(new EvaluationResult(10, 1));
    }
}
