using FedServerless.Client.Tests.Support;

namespace FedServerless.Client.Tests;

public sealed class FedClientEvaluationTests
{
    [Fact]
    public async Task RunOnceAsync_Evaluator_PostsLossAndAccuracy()
    {
        using var device = new Device();
        device.OfferEvaluation();

        var step = await device.StepAsync();

        Assert.Equal(FedStepOutcome.Committed, step.Outcome);
        var evaluation = Assert.Single(device.Server.Evaluations);
        Assert.Equal((device.Lease.Base.Digest, 40L), (evaluation.ArtifactDigest, evaluation.Samples));
        Assert.Equal(0.25, evaluation.Metrics["loss"]);
        Assert.Equal(0.75, evaluation.Metrics["accuracy"]);
        Assert.Equal(new Evaluated("digits", 1, "committed", 40, 0.25), Assert.Single(device.Events.OfType<Evaluated>()));
    }

    [Fact]
    public async Task RunOnceAsync_EvaluationRepeated_PostsTheSameWithoutEvaluatingAgain()
    {
        using var device = new Device();
        device.OfferEvaluation();
        var evaluations = 0;
        device.Trainer = FedTrainer.Create(_ => new FitResult(1), _ => new EvaluationResult(40, ++evaluations));
        await device.StepAsync();
        device.Off();

        await device.StepAsync();
        var third = await device.StepAsync();

        Assert.Equal(1, evaluations);
        Assert.Equal(3, device.Server.Evaluations.Count);
        Assert.Equal(FedStepOutcome.Repeated, third.Outcome);
    }

    [Fact]
    public async Task RunOnceAsync_TrainerDoesNotEvaluate_GivesUpAndSaysSo()
    {
        using var device = new Device();
        device.OfferEvaluation();
        device.Trainer = FedTrainer.Create(_ => new FitResult(1));

        var step = await device.StepAsync();

        Assert.Equal(FedStepOutcome.GaveUp, step.Outcome);
        Assert.Contains("does not evaluate", step.Reason, StringComparison.Ordinal);
        Assert.Empty(device.Server.Evaluations);
    }

    [Theory]
    [InlineData(double.NaN, 0.5, 10, "metrics.loss")]
    [InlineData(1, double.NaN, 10, "accuracy")]
    [InlineData(1, 1.0000001, 10, "accuracy")]
    [InlineData(1, -0.0000001, 10, "accuracy")]
    [InlineData(1, 1, 0, "samples")]
    public async Task RunOnceAsync_ImpossibleResult_RefusedBeforeItIsSent(double loss, double accuracy, long samples, string field)
    {
        using var device = new Device();
        device.OfferEvaluation();
        device.Trainer = FedTrainer.Create(_ => new FitResult(1), _ => new EvaluationResult(samples, loss, accuracy));

        var step = await device.StepAsync();

        Assert.Contains(field, step.Reason, StringComparison.Ordinal);
        Assert.Empty(device.Server.Evaluations);
    }

    [Theory]
    [InlineData(-1, "the store has a model of")]
    [InlineData(1, "the store has a model of")]
    [InlineData(-1_000_000, "artifact.bytes")]
    [InlineData(8L << 30, "artifact.bytes")]
    public async Task RunOnceAsync_ServerLiesAboutTheModelsSize_GivesUpBeforeTheBody(long difference, string reason)
    {
        using var device = new Device();
        device.Lease = device.Lease with { Base = device.Lease.Base with { Bytes = device.ModelBytes.Length + difference } };
        device.OfferEvaluation();

        var step = await device.StepAsync();

        Assert.Contains(reason, step.Reason, StringComparison.Ordinal);
        Assert.Equal(0, (await device.OnAsync()).BytesDown);
        Assert.Empty(device.Server.Evaluations);
    }

    [Fact]
    public async Task RunOnceAsync_MetricNamedLoss_Refused()
    {
        using var device = new Device();
        device.OfferEvaluation();
        device.Trainer = FedTrainer.Create(
            _ => new FitResult(1), _ => new EvaluationResult(1, 1, null, new Dictionary<string, double> { ["loss"] = 2 }));

        var step = await device.StepAsync();

        Assert.Contains("metrics.loss", step.Reason, StringComparison.Ordinal);
    }
}
