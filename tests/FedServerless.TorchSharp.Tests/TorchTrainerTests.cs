using FedServerless.Client;
using FedServerless.Client.TorchSharp;
using FedServerless.Client.Training;
using FedServerless.Model;
using FedServerless.Privacy;
using FedServerless.Testing.Federation.Hosted;
using FedServerless.Wire;
using static TorchSharp.torch;

namespace FedServerless.TorchSharp.Tests;

public sealed class TorchTrainerTests
{
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("sgd", 0, 0, 0)]
    [InlineData("sgd", 0.9, 0.01, 0)]
    [InlineData("sgd", 0, 0, 0.5)]
    [InlineData("fednova", 0.9, 0, 0)]
    [InlineData("scaffold", 0, 0, 0)]
    [InlineData("feddyn", 0, 0, 0.1)]
    public async Task FitAsync_BuiltInSolvers_GoWhereTheBuiltInModelGoes(string solver, double momentum, double decay, double mu)
    {
        var start = Architectures.Initialize(new ArchitectureSpec { Name = "mlp", Inputs = 6, Hidden = [5], Outputs = 3 }, 4);
        var training = new TrainingSpec { Solver = solver, Epochs = 3, BatchSize = 6, LearningRate = 0.2, Momentum = momentum, WeightDecay = decay, ProximalMu = mu };
        var correction = solver is "scaffold" or "feddyn" ? Enumerable.Range(0, start.Parameters.Length).Select(i => 0.01f * (i % 5)).ToArray() : [];
        var (expected, actual) = (Context(start, training, correction: correction), Context(start, training, correction: correction));
        await LocalTrainer.BuiltIn(Modules.Samples()).FitAsync(expected, Cancel);

        var result = await TorchTrainer.Create(Modules.Classifier(Modules.Perceptron()), TorchSamples.Of(Modules.Samples())).FitAsync(actual, Cancel);

        Assert.Equal(20, result.Samples);
        Assert.All(expected.Model.Values.Zip(actual.Model.Values), pair => Assert.Equal(pair.First, pair.Second, 1e-5f));
        Assert.NotEqual(start.Values, actual.Model.Values);
    }

    [Fact]
    public async Task FitAsync_LocalPrivacy_ClipsEachExampleOfTheModule()
    {
        using var folder = new ScratchFolder();
        var start = Architectures.Initialize(new ArchitectureSpec { Name = "mlp", Inputs = 6, Hidden = [5], Outputs = 3 }, 4);
        var privacy = new DpSgdOptions
        {
            LedgerFile = folder.Combine("ledger"), Samples = 20, SamplingRate = 1, ClipNorm = 0.1, NoiseMultiplier = 0.01, Budget = new PrivacySpend(1e9, 1e-4),
        };
        var trainer = DigitTrainers.LocallyPrivate(Modules.Classifier(Modules.Perceptron()), TorchSamples.Of(Modules.Samples()), privacy);
        var context = Context(start, new TrainingSpec { LearningRate = 1 });

        await trainer.FitAsync(context, Cancel);

        // One step: the built-in model's gradients, each clipped alone, over q·N = 20. The noise of z·C/20 = 5e-5 is what the tolerance is for.
        var expected = (float[])start.Values.Clone();
        var (dense, gradient) = (new DenseClassifier(start.Layout, Modules.Samples()), new float[start.Values.Length]);
        for (var sample = 0; sample < 20; sample++)
        {
            dense.LossAndGradient(start, [sample], gradient);
            var scale = Math.Min(1, 0.1 / Math.Sqrt(gradient.Sum(value => (double)value * value)));
            for (var i = 0; i < expected.Length; i++)
            {
                expected[i] -= (float)(scale * gradient[i] / 20);
            }
        }

        Assert.All(expected.Zip(context.Model.Values), pair => Assert.Equal(pair.First, pair.Second, 4e-4f));
        Assert.InRange(expected.Zip(start.Values).Max(pair => Math.Abs(pair.First - pair.Second)), 2e-3f, 0.1f);
    }

    [Fact]
    public void FollowsCorrection_IsTheSolversWord()
    {
        using var module = nn.Linear(2, 1);

        Assert.True(TorchTrainer.Create(Modules.Classifier(module), TorchSamples.Of(Modules.Samples())).FollowsCorrection);
        Assert.False(TorchTrainer.Create(module, (_, _) => new FitResult(1)).FollowsCorrection);
    }

    [Fact]
    public async Task FitAsync_SameSeed_SameBitsDropoutIncluded()
    {
        using var module = new Mixed();
        var start = TorchModelFile.Read(module);
        var trainer = TorchTrainer.Create(Modules.Classifier(module), Mixed.Samples());
        var contexts = new[] { Context(start, seed: 5), Context(start, seed: 6), Context(start, seed: 5) };
        foreach (var context in contexts)
        {
            await trainer.FitAsync(context, Cancel);
            using var disturbance = rand(10);
        }

        Assert.Equal(contexts[0].Model.Values, contexts[2].Model.Values);
        Assert.NotEqual(contexts[0].Model.Values, contexts[1].Model.Values);
    }

    [Fact]
    public async Task EvaluateAsync_HeldOutSamples_AreTheOnesMeasured()
    {
        using var module = new Mixed();
        var trainer = TorchTrainer.Create(Modules.Classifier(module), Mixed.Samples(), heldOut: Mixed.Samples(7));

        var result = await trainer.EvaluateAsync(new EvaluateContext { Run = "run", Round = 1, Model = TorchModelFile.Read(module) }, Cancel);

        Assert.Equal(7, result.Samples);
    }

    [Fact]
    public async Task FitAsync_FirstAfterAnEvaluation_HoldsStillWhatWasHeldStill()
    {
        using var module = new Mixed();
        module.Norm.eval();
        var trainer = TorchTrainer.Create(Modules.Classifier(module), Mixed.Samples(), heldOut: Mixed.Samples(7));
        var context = Context(TorchModelFile.Read(module));
        await trainer.EvaluateAsync(new EvaluateContext { Run = "run", Round = 1, Model = context.Model.Clone() }, Cancel);

        await trainer.FitAsync(context, Cancel);

        Assert.Equal([0], context.Model.Integers);
        Assert.Equal([0, 0, 1, 1], context.Model.Buffers.ToArray());
    }

    [Fact]
    public async Task FitAsync_OwnLoop_SendsWhatItsOptimizerMade()
    {
        using var module = nn.Linear(2, 1);
        var trainer = TorchTrainer.Create(module, (context, _) =>
        {
            using var adam = optim.Adam(module.parameters(), context.Training.LearningRate);
            for (var step = 0; step < 3; step++)
            {
                adam.zero_grad();
                module.call(ones(4, 2)).mean().backward();
                adam.step();
            }

            return new FitResult(4);
        });
        var context = Context(TorchModelFile.Read(module));
        var start = context.Model.Clone();

        await trainer.FitAsync(context, Cancel);

        // A gradient that stays what it is moves every coordinate by the learning rate in each of Adam's steps (arXiv:1412.6980, algorithm 1).
        Assert.All(start.Values.Zip(context.Model.Values), pair => Assert.Equal(0.3f, pair.First - pair.Second, 1e-4f));
        Assert.Equal(TorchModelFile.Read(module).Values, context.Model.Values);
        Assert.All(module.parameters(), parameter => Assert.Null(parameter.grad));
    }

    [Fact]
    public async Task FitAsync_OwnLoopAfterAnEvaluation_TrainsInTrainingMode()
    {
        using var module = new Mixed();
        var modes = new List<bool>();
        var trainer = TorchTrainer.Create(
            module,
            (_, _) => { modes.Add(module.training); return new FitResult(1); },
            (_, _) => { modes.Add(module.training); modes.Add(is_grad_enabled()); return new EvaluationResult(1, 1); });

        await trainer.EvaluateAsync(new EvaluateContext { Run = "run", Round = 1, Model = TorchModelFile.Read(module) }, Cancel);
        await trainer.FitAsync(Context(TorchModelFile.Read(module)), Cancel);

        Assert.Equal([false, false, true], modes);
    }

    [Fact]
    public async Task FitAsync_SamplesThatDoNotFit_SaysWhatLibtorchSaysInOneLine()
    {
        using var module = nn.Linear(Modules.Features + 1, Modules.Classes);
        var trainer = TorchTrainer.Create(Modules.Classifier(module), TorchSamples.Of(Modules.Samples()));

        var refusal = await Assert.ThrowsAsync<InvalidOperationException>(
            async () => await trainer.FitAsync(Context(TorchModelFile.Read(module)), Cancel));

        Assert.Equal("libtorch: mat1 and mat2 shapes cannot be multiplied (4x6 and 7x3)", refusal.Message);
        Assert.NotNull(refusal.InnerException);
    }

    [Fact]
    public async Task EvaluateAsync_OwnLoopWithoutAMeasure_PassesTheWorkOver()
    {
        using var module = nn.Linear(2, 1);
        var trainer = TorchTrainer.Create(module, (_, _) => new FitResult(1));

        await Assert.ThrowsAsync<NotSupportedException>(
            async () => await trainer.EvaluateAsync(new EvaluateContext { Run = "run", Round = 1, Model = TorchModelFile.Read(module) }, Cancel));
    }

    [Theory]
    [InlineData(0, 3)]
    [InlineData(2, 2)]
    public void Bind_Threads_AreSetUnlessZero(int threads, int expected)
    {
        set_num_threads(3);
        _ = new TorchBinding(Modules.Perceptron(), Modules.PerceptronLayout(), new TorchOptions { Threads = threads });

        Assert.Equal(expected, get_num_threads());
        set_num_threads(1);
    }

    [Fact]
    public void Bind_NegativeThreads_IsRefused() => Assert.Throws<ArgumentOutOfRangeException>(
        () => new TorchBinding(Modules.Perceptron(), Modules.PerceptronLayout(), new TorchOptions { Threads = -1 }));

    private static FitContext Context(ModelState start, TrainingSpec? training = null, long seed = 9, float[]? correction = null) => new()
    {
        Run = "run",
        Round = 1,
        Model = start.Clone(),
        Training = training ?? new TrainingSpec { BatchSize = 4 },
        Seed = seed,
        Correction = correction,
    };
}
