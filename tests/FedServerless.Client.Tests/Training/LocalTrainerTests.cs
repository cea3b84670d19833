using FedServerless.Client.Training;
using FedServerless.Model;
using FedServerless.Wire;

namespace FedServerless.Client.Tests.Training;

public sealed class LocalTrainerTests
{
    private static readonly LabelledSamples Samples = TrainingSamples.Random(20, 4, 3, seed: 1);

    [Fact]
    public async Task FitAsync_Dense_TrainsTheModelInPlaceAndCountsSamples()
    {
        var model = Architectures.Initialize(TrainingSamples.Spec(4, 3), 0);

        var result = await LocalTrainer.BuiltIn(Samples).FitAsync(Fit(model), CancellationToken.None);

        Assert.Equal(20, result.Samples);
        Assert.InRange(result.Metrics![LocalTrainer.TrainingLoss], 0.01, Math.Log(3) - 0.001);
        Assert.Contains(model.Values, value => value != 0);
    }

    [Fact]
    public async Task FitAsync_SameSeed_GivesTheSameBytesAndAnotherSeedOthers()
    {
        Assert.Equal(await TrainAsync(7), await TrainAsync(7));
        Assert.NotEqual(await TrainAsync(7), await TrainAsync(8));

        static async Task<float[]> TrainAsync(long seed)
        {
            var model = Architectures.Initialize(TrainingSamples.Spec(4, 6, 3), 0);
            await LocalTrainer.BuiltIn(Samples).FitAsync(Fit(model, seed), CancellationToken.None);
            return model.Values;
        }
    }

    [Fact]
    public async Task FitAsync_AnotherArchitectureNext_FollowsTheModelItIsSent()
    {
        var trainer = LocalTrainer.BuiltIn(Samples);
        await trainer.FitAsync(Fit(Architectures.Initialize(TrainingSamples.Spec(4, 3), 0)), CancellationToken.None);

        var result = await trainer.FitAsync(Fit(Architectures.Initialize(TrainingSamples.Spec(4, 5, 3), 0)), CancellationToken.None);

        Assert.Equal(20, result.Samples);
    }

    [Fact]
    public async Task FitAsync_ModelDoesNotFitTheSamples_Throws() => await Assert.ThrowsAsync<ArgumentException>(
        async () => await LocalTrainer.BuiltIn(Samples).FitAsync(
            Fit(Architectures.Initialize(TrainingSamples.Spec(5, 3), 0)), CancellationToken.None));

    [Fact]
    public async Task FitAsync_Diverges_ThrowsWithAdvice()
    {
        var objective = new QuadraticModel(1, [0f]);
        var context = new FitContext
        {
            Run = "r", Round = 1, Model = objective.State(1), Training = new TrainingSpec { LearningRate = 1000, Epochs = 100 },
        };

        var failure = await Assert.ThrowsAsync<InvalidOperationException>(
            async () => await new LocalTrainer(_ => objective).FitAsync(context, CancellationToken.None));
        Assert.Contains("learning rate below 1000", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task FitAsync_Cancelled_Throws() => await Assert.ThrowsAsync<OperationCanceledException>(
        async () => await LocalTrainer.BuiltIn(Samples).FitAsync(
            Fit(Architectures.Initialize(TrainingSamples.Spec(4, 3), 0)), new CancellationToken(canceled: true)));

    [Fact]
    public async Task EvaluateAsync_HeldOutSamples_UsesThose()
    {
        var heldOut = TrainingSamples.Random(7, 4, 3, seed: 2);
        var context = Evaluate(Architectures.Initialize(TrainingSamples.Spec(4, 3), 0));

        var result = await LocalTrainer.BuiltIn(Samples, heldOut).EvaluateAsync(context, CancellationToken.None);

        Assert.Equal(7, result.Samples);
        Assert.Equal(Math.Log(3), result.Loss, 1e-6);
        Assert.Equal(heldOut.Labels.ToArray().Count(label => label == 0) / 7.0, result.Accuracy!.Value, 1e-12);
    }

    [Fact]
    public async Task EvaluateAsync_NothingHeldOut_UsesTheTrainingSamples() => Assert.Equal(
        20,
        (await LocalTrainer.BuiltIn(Samples).EvaluateAsync(
            Evaluate(Architectures.Initialize(TrainingSamples.Spec(4, 3), 0)), CancellationToken.None)).Samples);

    [Fact]
    public async Task EvaluateAsync_LossNotFinite_Throws()
    {
        var model = Architectures.Initialize(TrainingSamples.Spec(4, 3), 0);
        model.Values.AsSpan().Fill(float.NaN);

        await Assert.ThrowsAsync<InvalidOperationException>(
            async () => await LocalTrainer.BuiltIn(Samples).EvaluateAsync(Evaluate(model), CancellationToken.None));
    }

    [Fact]
    public async Task FitAsync_ModelOfOnesOwn_GetsTheSolver()
    {
        var objective = new QuadraticModel(1, [2f]);
        var model = objective.State(10);
        var context = new FitContext
        {
            Run = "r", Round = 1, Model = model, Training = new TrainingSpec { Epochs = 3, LearningRate = 0.5, ProximalMu = 1 },
        };

        await new LocalTrainer(_ => objective).FitAsync(context, CancellationToken.None);

        Assert.Equal([6f], model.Values);
    }

    private static FitContext Fit(ModelState model, long seed = 1) => new()
    {
        Run = "r", Round = 1, Model = model, Seed = seed, Training = new TrainingSpec { Epochs = 3, BatchSize = 6 },
    };

    private static EvaluateContext Evaluate(ModelState model) => new() { Run = "r", Round = 1, Model = model };
}
