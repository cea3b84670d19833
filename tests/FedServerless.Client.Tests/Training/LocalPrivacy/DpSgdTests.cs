using FedServerless.Client.Tests.Support;
using FedServerless.Client.Training;
using FedServerless.Model;
using FedServerless.Privacy;
using FedServerless.Wire;

namespace FedServerless.Client.Tests.Training.LocalPrivacy;

public sealed class DpSgdTests : IDisposable
{
    private readonly PrivateSite _site = new();

    public void Dispose() => _site.Dispose();

    // PITFALLS 1: every example by its own coin. 20 000 batches of 40 examples at q = 0.3: a sample of fixed size has variance 0, shuffled
    // batches have variance 0, one coin for all has 40 times the binomial's. Tested at 5 standard errors.
    [Fact]
    public void Toss_ManyBatches_HaveABinomialsMeanAndVariance()
    {
        const int Batches = 20_000, Samples = 40;
        const double Rate = 0.3;
        var coin = new PoissonCoin(Rate, new SeededEntropy(11));
        var sizes = new double[Batches];
        for (var batch = 0; batch < Batches; batch++)
        {
            sizes[batch] = Enumerable.Range(0, Samples).Count(_ => coin.Toss());
        }

        const double Variance = Samples * Rate * (1 - Rate);
        Assert.InRange(sizes.Average(), (Samples * Rate) - (5 * Math.Sqrt(Variance / Batches)), (Samples * Rate) + (5 * Math.Sqrt(Variance / Batches)));
        var variance = sizes.Average(size => (size - (Samples * Rate)) * (size - (Samples * Rate)));
        var error = Variance * Math.Sqrt((2.0 / Batches) + ((1 - (6 * Rate * (1 - Rate))) / (Variance * Batches)));
        Assert.InRange(variance, Variance - (5 * error), Variance + (5 * error));
    }

    [Fact]
    public void Toss_RateOne_IsAlwaysHeads()
    {
        var coin = new PoissonCoin(1, new SeededEntropy(1));
        Assert.All(Enumerable.Range(0, 10_000), _ => Assert.True(coin.Toss()));
    }

    [Fact]
    public void Fit_Batches_VaryBetweenStepsAndTakeEachExampleAlone()
    {
        _site.Objective = new QuadraticModel(1, [.. Enumerable.Range(0, 50).Select(_ => new float[] { 0 })]);
        _site.Options = _site.Options with { Samples = 50, SamplingRate = 0.1, NoiseMultiplier = 20 };

        _site.Fit(training: PrivateSite.OneStep with { Epochs = 10 });

        Assert.All(_site.Objective.Batches, batch => Assert.Single(batch));
        Assert.InRange(_site.Objective.Batches.Count, 400, 600);
        Assert.Equal(50, _site.Objective.Batches.Select(batch => batch[0]).Distinct().Count());
    }

    // PITFALLS 3 and 1: an empty batch is a step like any other, with noise, divided by the declared qN.
    [Fact]
    public void Fit_EmptyBatch_StepsByNoiseAlone()
    {
        _site.Options = _site.Options with { SamplingRate = 1e-9, MaxStepsPerRound = 1 };

        var model = _site.Fit();

        Assert.Empty(_site.Objective.Batches);
        Assert.NotEqual(0, model.Values[0]);
    }

    // 3000 coordinates without a gradient: the noise alone, of deviation rate·z·C/(qN) = 0.5·4·2/(0.5·8) = 1. A wrong deviation by 7 % fails at 5 standard errors.
    [Fact]
    public void Fit_NoGradients_LeavesNoiseOfTheStatedDeviation()
    {
        _site.Objective = new QuadraticModel(1, new float[3000]);
        _site.Options = _site.Options with { Samples = 8, SamplingRate = 0.5, ClipNorm = 2, MaxStepsPerRound = 1 };

        var values = _site.Fit(training: PrivateSite.OneStep with { LearningRate = 0.5 }).Values;

        Assert.InRange(values.Average(), -5 / Math.Sqrt(3000), 5 / Math.Sqrt(3000));
        Assert.InRange(values.Average(value => (double)value * value), 1 - (5 * Math.Sqrt(2.0 / 3000)), 1 + (5 * Math.Sqrt(2.0 / 3000)));
    }

    // PITFALLS 3: the same examples twice as many change the sum, never the denominator.
    [Fact]
    public void Fit_MoreExamplesThanDeclared_AreDividedByTheDeclaredNumber()
    {
        _site.Options = _site.Options with { NoiseMultiplier = 0.01, Budget = new PrivacySpend(1e6, 1e-3) };
        var once = _site.Fit().Values[0];
        _site.Objective = new QuadraticModel(1, [1f], [2f], [3f], [4f], [1f], [2f], [3f], [4f]);

        var twice = _site.Fit().Values[0];

        // Four unit gradients over 4, then eight over 4; the noise is 0.01/4.
        Assert.Equal(1, once, 0.02);
        Assert.Equal(2, twice, 0.02);
    }

    [Fact]
    public void Fit_DecayProximalAndMomentum_FollowTheNoise()
    {
        // Every gradient is clipped to −1: v₁ = −1, w₁ = ½; then decay, µ and ½·v join in: v₂ = −½ − 1 + ¼ + ¼ = −1, w₂ = 1.
        _site.Objective = new QuadraticModel(1, [9f], [9f], [9f], [9f]);
        _site.Options = _site.Options with { NoiseMultiplier = 0.01, Budget = new PrivacySpend(1e6, 1e-3), MaxStepsPerRound = 2 };
        var training = new TrainingSpec { Epochs = 2, LearningRate = 0.5, Momentum = 0.5, WeightDecay = 0.5, ProximalMu = 0.5 };

        Assert.Equal(1, _site.Fit(training: training).Values[0], 0.02);
    }

    // PITFALLS 11: what the server knows, the round's seed among it, decides neither coins nor noise.
    [Fact]
    public async Task FitAsync_SameSeed_DrawsOtherNoiseEveryTime()
    {
        var samples = TrainingSamples.Random(20, 3, 2, seed: 1);
        var trainer = DpSgdTrainer.BuiltIn(samples, _site.Options);
        var first = await FitAsync(trainer);

        Assert.NotEqual(first, await FitAsync(trainer));
        Assert.NotEqual(first, await FitAsync(DpSgdTrainer.BuiltIn(samples, _site.Options)));
    }

    // Every example is in the batch, none is clipped and the noise is next to nothing: what is left is a step of gradient descent.
    [Fact]
    public async Task FitAsync_ConvolutionsNextToNoNoise_StepsDownTheMeanGradient()
    {
        const double Clip = 10, Multiplier = 0.01, Rate = 0.5;
        const int Samples = 20;
        var drawn = ConvSamples.Samples(ConvSamples.DigitsNet, Samples, seed: 3);
        var samples = new LabelledSamples([.. Enumerable.Range(0, Samples).SelectMany(i => drawn.Features(i).ToArray())], new int[Samples], 64, 10);
        var model = Architectures.Initialize(ConvSamples.DigitsNet, 0);
        var gradient = new float[model.Values.Length];
        BuiltInModel.Bind(model.Layout, samples).LossAndGradient(model, [.. Enumerable.Range(0, Samples)], gradient);
        var expected = model.Values.Zip(gradient, (weight, slope) => weight - (Rate * slope)).ToArray();
        var options = _site.Options with
        {
            Samples = Samples, SamplingRate = 1, NoiseMultiplier = Multiplier, ClipNorm = Clip, Budget = new PrivacySpend(1e9, 1e-3), MaxStepsPerRound = 1,
        };

        await DpSgdTrainer.BuiltIn(samples, options).FitAsync(
            new FitContext { Run = "run", Round = 1, Model = model, Training = new TrainingSpec { LearningRate = Rate } }, CancellationToken.None);

        // Seven deviations of the noise, and the grid of each example; the largest step is many times that.
        var tolerance = Rate * Clip * ((7 * Multiplier / Samples) + (1.0 / 500));
        Assert.All(expected.Zip(model.Values), pair => Assert.Equal(pair.First, pair.Second, tolerance));
        Assert.Contains(gradient, slope => Math.Abs(Rate * slope) > 10 * tolerance);
    }

    [Fact]
    public void Entropy_OfTheTrainingLibrary_NobodyElseCanGive()
    {
        Assert.DoesNotContain(typeof(DpSgd).Assembly.GetTypes(), type => type.IsSubclassOf(typeof(EntropySource)));
        Assert.DoesNotContain(
            typeof(DpSgd).Assembly.GetExportedTypes().SelectMany(type => type.GetConstructors().Cast<System.Reflection.MethodBase>().Concat(type.GetMethods())),
            method => method.GetParameters().Any(parameter => parameter.ParameterType == typeof(EntropySource)));
    }

    // PITFALLS 18: nothing that carries no noise is sent.
    [Fact]
    public async Task FitAsync_Result_HasTheDeclaredCountAndNoMetrics()
    {
        var trainer = DpSgdTrainer.BuiltIn(TrainingSamples.Random(23, 3, 2, seed: 1), _site.Options with { Samples = 20 });
        var model = Architectures.Initialize(TrainingSamples.Spec(3, 2), 0);

        var result = await trainer.FitAsync(new FitContext { Run = "run", Round = 1, Model = model }, CancellationToken.None);

        Assert.Equal(new FitResult(20), result);
    }

    [Fact]
    public async Task EvaluateAsync_Always_IsRefused()
    {
        var trainer = DpSgdTrainer.BuiltIn(TrainingSamples.Random(23, 3, 2, seed: 1), _site.Options);
        var context = new EvaluateContext { Run = "run", Round = 1, Model = Architectures.Initialize(TrainingSamples.Spec(3, 2), 0) };

        await Assert.ThrowsAsync<NotSupportedException>(async () => await trainer.EvaluateAsync(context, CancellationToken.None));
    }

    // PITFALLS 50: running statistics would carry the examples past the noise.
    [Theory]
    [InlineData(TensorRole.Buffer)]
    [InlineData(TensorRole.Integer)]
    public void Fit_ModelWithMoreThanParameters_IsRefusedUncharged(TensorRole role)
    {
        var layout = TensorLayout.Create([new TensorSpec("w", [1], TensorRole.Parameter), new TensorSpec("s", [1], role)]);
        var model = new ModelState(layout, new float[layout.FloatCount], new long[layout.IntegerCount]);

        var problem = Assert.Throws<ArgumentException>(() => new DpSgd(_site.Options).Fit(new Shaped(layout), model, PrivateSite.OneStep, "run", 1));

        Assert.Contains("'s'", problem.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(_site.LedgerFile));
    }

    [Theory]
    [InlineData("scaffold")]
    [InlineData("feddyn")]
    [InlineData("fednova")]
    public void Fit_AnotherSolver_IsRefusedUncharged(string solver)
    {
        Assert.Throws<ArgumentException>(() => _site.Fit(training: PrivateSite.OneStep with { Solver = solver, ProximalMu = 1 }));
        Assert.False(File.Exists(_site.LedgerFile));
    }

    // PITFALLS 17, by the true number where it is the larger.
    [Fact]
    public void Fit_SoManyExamplesThatDeltaPromisesNothing_IsRefused()
    {
        _site.Objective = new QuadraticModel(1, [.. Enumerable.Range(0, 1000).Select(_ => new float[1])]);
        Assert.Throws<ArgumentException>(() => _site.Fit());
    }

    [Theory]
    [InlineData(1, 0.01, 100)]
    [InlineData(1, 0.3, 4)]
    [InlineData(3, 1, 3)]
    [InlineData(1, 0.001, 1000)]
    [InlineData(1, 0.000999, 1000)]
    [InlineData(1000, 0.01, 1000)]
    public void Steps_OfEpochs_AreTheExpectedPassesUpToTheMost(int epochs, double rate, int steps) =>
        Assert.Equal(steps, (_site.Options with { SamplingRate = rate }).Steps(epochs));

    private static async Task<float[]> FitAsync(DpSgdTrainer trainer)
    {
        var model = Architectures.Initialize(TrainingSamples.Spec(3, 2), 0);
        await trainer.FitAsync(new FitContext { Run = "run", Round = 1, Model = model, Seed = 42 }, CancellationToken.None);
        return model.Values;
    }

    private sealed class Shaped(TensorLayout layout) : IDifferentiableModel
    {
        public TensorLayout Layout => layout;

        public int SampleCount => 1;

        public double LossAndGradient(ModelState model, ReadOnlySpan<int> batch, Span<float> gradient) => throw new InvalidOperationException();

        public EvaluationResult Evaluate(ModelState model, CancellationToken cancellationToken) => throw new InvalidOperationException();
    }
}
