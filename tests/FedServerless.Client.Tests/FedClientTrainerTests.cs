using FedServerless.Client.Tests.Support;
using FedServerless.Wire;

namespace FedServerless.Client.Tests;

public sealed class FedClientTrainerTests
{
    [Fact]
    public async Task RunOnceAsync_TrainerThrows_LeavesTheRoundAndTakesTheNext()
    {
        using var device = new Device();
        var good = device.Trainer;
        device.Trainer = FedTrainer.Create(_ => throw new InvalidDataException("no data today"));
        var failed = await device.StepAsync();
        var repeated = await device.StepAsync();
        device.Trainer = good;
        device.Offer(device.Lease with { Round = 2 });

        var next = await device.StepAsync();

        Assert.Equal(FedStepOutcome.GaveUp, failed.Outcome);
        Assert.Equal("the trainer failed to train: no data today", failed.Reason);
        Assert.IsType<InvalidDataException>(Assert.Single(device.Events.OfType<GaveUp>()).Exception);
        Assert.Equal(FedStepOutcome.Repeated, repeated.Outcome);
        Assert.True(repeated.Pause > TimeSpan.Zero);
        Assert.Equal(FedStepOutcome.Committed, next.Outcome);
    }

    [Fact]
    public async Task RunOnceAsync_TrainerThrewThenRestarted_TriesAgain()
    {
        using var device = new Device();
        var good = device.Trainer;
        device.Trainer = FedTrainer.Create(_ => throw new InvalidDataException("no data today"));
        await device.StepAsync();
        device.Off();
        device.Trainer = good;

        var step = await device.StepAsync();

        Assert.Equal(FedStepOutcome.Committed, step.Outcome);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.MaxValue)]
    public async Task RunOnceAsync_ValueOrDeltaNotFinite_NamesTheTensorAndSendsNothing(float value)
    {
        using var device = new Device();
        device.Start.Values[7] = -float.MaxValue;
        device.Trainer = FedTrainer.Create(context =>
        {
            // MaxValue − (−MaxValue) overflows: the trained value is finite, the delta is not.
            context.Model.Values[8] = -float.MaxValue;
            context.Model.Values[7] = value;
            return new FitResult(1);
        });
        ServeStart(device);

        var step = await device.StepAsync();

        Assert.Equal(FedStepOutcome.GaveUp, step.Outcome);
        Assert.Contains("Element 7 of tensor 'w' is not finite", step.Reason, StringComparison.Ordinal);
        Assert.Empty(device.Server.Store);
        Assert.Empty(device.Server.Receipts);
    }

    [Theory]
    [InlineData(0, 0.0, "samples")]
    [InlineData(-1, 0.0, "samples")]
    [InlineData(1, double.NaN, "metrics.x")]
    [InlineData(1, double.NegativeInfinity, "metrics.x")]
    public async Task RunOnceAsync_ImpossibleResult_RefusedBeforeItIsSent(long samples, double metric, string field)
    {
        using var device = new Device();
        device.Trainer = FedTrainer.Create(_ => new FitResult(samples, new Dictionary<string, double> { ["x"] = metric }));

        var step = await device.StepAsync();

        Assert.Contains(field, step.Reason, StringComparison.Ordinal);
        Assert.Empty(device.Server.Store);
    }

    [Theory]
    [InlineData(31, true)]
    [InlineData(32, true)]
    [InlineData(33, false)]
    public async Task RunOnceAsync_MetricsAroundTheLimit_RefusedAboveIt(int metrics, bool accepted)
    {
        using var device = new Device();
        device.Trainer = FedTrainer.Create(_ => new FitResult(1, Enumerable.Range(0, metrics).ToDictionary(i => $"m{i}", i => (double)i)));

        var step = await device.StepAsync();

        Assert.Equal(accepted ? FedStepOutcome.Committed : FedStepOutcome.GaveUp, step.Outcome);
    }

    [Theory]
    [InlineData(63, true)]
    [InlineData(64, true)]
    [InlineData(65, false)]
    [InlineData(0, false)]
    public async Task RunOnceAsync_MetricNameAroundTheLimit_RefusedAboveIt(int length, bool accepted)
    {
        using var device = new Device();
        device.Trainer = FedTrainer.Create(_ => new FitResult(1, new Dictionary<string, double> { [new string('m', length)] = 1 }));

        var step = await device.StepAsync();

        Assert.Equal(accepted ? FedStepOutcome.Committed : FedStepOutcome.GaveUp, step.Outcome);
    }

    [Theory]
    [InlineData("a.B_c-9", true)]
    [InlineData("0", true)]
    [InlineData("-a", false)]
    [InlineData("a b", false)]
    [InlineData("naïve", false)]
    public async Task RunOnceAsync_MetricNameCharacters_OnlyWhatServersTake(string name, bool accepted)
    {
        using var device = new Device();
        device.Trainer = FedTrainer.Create(_ => new FitResult(1, new Dictionary<string, double> { [name] = 1 }));

        var step = await device.StepAsync();

        Assert.Equal(accepted ? FedStepOutcome.Committed : FedStepOutcome.GaveUp, step.Outcome);
    }

    [Fact]
    public async Task RunOnceAsync_DeadlineWhileTraining_CancelsTheTrainer()
    {
        using var device = new Device();
        device.Trainer = FedTrainer.Create(
            async (context, cancellationToken) =>
            {
                Assert.Equal(TimeSpan.FromSeconds(600), context.Remaining);
                device.Clock.Advance(TimeSpan.FromSeconds(600));
                Assert.Equal(TimeSpan.Zero, context.Remaining);
                await Task.Delay(Timeout.Infinite, cancellationToken);
                return new FitResult(1);
            });

        var step = await device.StepAsync();

        Assert.Equal(FedStepOutcome.GaveUp, step.Outcome);
        Assert.Contains("the deadline came before", step.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RunOnceAsync_NoTimeLeft_DoesNotTrain()
    {
        using var device = new Device();
        device.Offer(device.Lease with { RemainingSeconds = 0 });

        var step = await device.StepAsync();

        Assert.Equal("no time was left to train", step.Reason);
        Assert.Equal(0, device.Fits);
    }

    [Fact]
    public async Task RunOnceAsync_CancelledWhileTraining_ThrowsAndMayTrainAgain()
    {
        using var device = new Device();
        using var stop = new CancellationTokenSource();
        var good = device.Trainer;
        device.Trainer = FedTrainer.Create(
            async (_, cancellationToken) =>
            {
                await stop.CancelAsync();
                cancellationToken.ThrowIfCancellationRequested();
                return new FitResult(1);
            });

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => device.StepAsync(stop.Token));
        device.Trainer = good;
        var step = await device.StepAsync();

        Assert.Equal(FedStepOutcome.Committed, step.Outcome);
    }

    [Fact]
    public async Task RunOnceAsync_AskedToMeasure_ReportsBeforeAndAfter()
    {
        using var device = new Device();
        device.Trainer = FedTrainer.Create(
            context =>
            {
                context.Model.Parameters[0] += 2;
                return new FitResult(60, new Dictionary<string, double> { ["mine"] = 7 });
            },
            context => new EvaluationResult(5, 10 - context.Model.Parameters[0], context.Model.Parameters[0] / 10));
        device.Offer(device.Lease with { Training = new Wire.TrainingSpec { Measure = true } });

        await device.StepAsync();

        Assert.Equal(
            [("after-accuracy", 0.2), ("after-loss", 8.0), ("before-accuracy", 0.0), ("before-loss", 10.0), ("mine", 7.0)],
            device.Server.Receipts[0].Metrics.OrderBy(metric => metric.Key, StringComparer.Ordinal).Select(metric => (metric.Key, Math.Round(metric.Value, 6))));
    }

    [Fact]
    public async Task RunOnceAsync_AskedToMeasureAndCannot_TrainsAllTheSame()
    {
        using var device = new Device();
        device.Trainer = FedTrainer.Create(_ => new FitResult(60));
        device.Offer(device.Lease with { Training = new Wire.TrainingSpec { Measure = true } });

        await device.StepAsync();

        Assert.Empty(device.Server.Receipts[0].Metrics);
    }

    [Fact]
    public async Task RunOnceAsync_TrainerReturnsNull_LeavesTheRound()
    {
        using var device = new Device();
        device.Trainer = FedTrainer.Create(_ => null!);

        var step = await device.StepAsync();

        Assert.Equal(FedStepOutcome.GaveUp, step.Outcome);
    }

    private static void ServeStart(Device device)
    {
        var bytes = Model.ModelStateFile.ToBytes(device.Start);
        device.Server.Models["/models/1"] = bytes;
        device.Offer(device.Lease with { Base = device.Lease.Base with { Digest = Digest.Of(bytes) } });
    }
}
