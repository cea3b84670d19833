using FedServerless.Client.Training;
using FedServerless.Testing;
using FedServerless.Wire;

namespace FedServerless.Client.Tests.Training;

public sealed class LocalSgdTests
{
    private static readonly TrainingSpec Plain = new() { Epochs = 2, BatchSize = 0, LearningRate = 0.5 };

    [Fact]
    public void Fit_PlainSteps_FollowTheGradient()
    {
        // w − c halves at every step of rate ½ and curvature 1: from 8 over 4 to 2.
        var objective = new QuadraticModel(1, [2f, -1f]);
        var model = objective.State(10, -1);

        var result = new LocalSgd().Fit(objective, model, Plain, seed: 0);

        Assert.Equal([4f, -1f], model.Values);
        Assert.Equal(new LocalSgdResult(Steps: 2, FirstLoss: 32, Loss: 8), result);
    }

    [Fact]
    public void Fit_Momentum_IsTheHeavyBall()
    {
        // g = w: v₁ = 8, w₁ = 4; v₂ = ½·8 + 4 = 8, w₂ = 0; v₃ = ½·8 + 0 = 4, w₃ = −2.
        var objective = new QuadraticModel(1, [0f]);
        var model = objective.State(8);

        new LocalSgd().Fit(objective, model, Plain with { Momentum = 0.5, Epochs = 3 }, seed: 0);

        Assert.Equal([-2f], model.Values);
    }

    // PITFALLS 51.
    [Fact]
    public void Fit_SecondRound_StartsWithoutMomentum()
    {
        var objective = new QuadraticModel(1, [0f]);
        var training = Plain with { Momentum = 0.5, Epochs = 3 };
        var solver = new LocalSgd();
        solver.Fit(objective, objective.State(100), training, seed: 0);
        var model = objective.State(8);

        solver.Fit(objective, model, training, seed: 0);

        Assert.Equal([-2f], model.Values);
    }

    [Fact]
    public void Fit_WeightDecay_AddsDecayTimesWeightToTheGradient()
    {
        // g = (w − 4) + ½·w at 8 is 8: w₁ = 4; then 2: w₂ = 3.
        var objective = new QuadraticModel(1, [4f]);
        var model = objective.State(8);

        new LocalSgd().Fit(objective, model, Plain with { WeightDecay = 0.5 }, seed: 0);

        Assert.Equal([3f], model.Values);
    }

    // PITFALLS 48: µ·(w − w₀), so µ/2 of the squared distance.
    [Fact]
    public void Fit_ProximalTerm_PullsTowardsTheRoundsStart()
    {
        // w₀ = 8: g₁ = 8 + 2·0, w₁ = 4; g₂ = 4 + 2·(4 − 8) = −4, w₂ = 6; g₃ = 6 + 2·(6 − 8) = 2, w₃ = 5.
        var objective = new QuadraticModel(1, [0f]);
        var model = objective.State(8);

        new LocalSgd().Fit(objective, model, Plain with { ProximalMu = 2, Epochs = 3 }, seed: 0);

        Assert.Equal([5f], model.Values);
    }

    [Fact] // PITFALLS 48: the anchor is the round's global model, not the first one the device saw.
    public void Fit_ProximalTermInTheNextRound_PullsTowardsThatRoundsStart()
    {
        var objective = new QuadraticModel(1, [0f]);
        var training = Plain with { ProximalMu = 2, Epochs = 3 };
        var solver = new LocalSgd();
        solver.Fit(objective, objective.State(100), training, seed: 0);
        var model = objective.State(8);

        solver.Fit(objective, model, training, seed: 0);

        Assert.Equal([5f], model.Values);
    }

    [Fact]
    public void Fit_ProximalTermManySteps_ReachesTheMinimumOfTheRegularisedLoss()
    {
        // argmin ½(w − 2)² + µ/2·(w − 10)² = (2 + µ·10)/(1 + µ) for µ = 3.
        var objective = new QuadraticModel(1, [2f]);
        var model = objective.State(10);

        new LocalSgd().Fit(objective, model, Plain with { ProximalMu = 3, LearningRate = 0.1, Epochs = 200 }, seed: 0);

        Assert.Equal(8, model.Values[0], 1e-5);
    }

    [Fact]
    public void Fit_Correction_IsAddedToEveryGradient()
    {
        // g = w + 2: from 8 by halves of 10 and 5 to 3 and ½.
        var objective = new QuadraticModel(1, [0f]);
        var model = objective.State(8);

        new LocalSgd().Fit(objective, model, Plain with { Solver = "scaffold" }, seed: 0, correction: [2f]);

        Assert.Equal([0.5f], model.Values);
    }

    [Theory]
    [InlineData("sgd", 1)]
    [InlineData("fednova", 1)]
    [InlineData("scaffold", 0)]
    [InlineData("feddyn", 2)]
    public void Fit_CorrectionThatTheSolverDoesNotHave_IsRefused(string solver, int length)
    {
        var objective = new QuadraticModel(1, [0f]);
        Assert.Throws<ArgumentException>(() => new LocalSgd().Fit(objective, objective.State(8), Plain with { Solver = solver }, 0, new float[length]));
    }

    [Fact]
    public void Fit_EverythingAtOnce_FollowsTheDocumentedStep()
    {
        var random = TrainingSamples.Random(3, 19, 2, seed: 8);
        var objective = new QuadraticModel(0.7f, random.Features(0).ToArray());
        var model = objective.State(random.Features(1).ToArray());
        var (w, start) = (Array.ConvertAll(model.Values, value => (double)value), Array.ConvertAll(model.Values, value => (double)value));
        var v = new double[w.Length];
        for (var step = 0; step < 5; step++)
        {
            for (var i = 0; i < w.Length; i++)
            {
                var g = (0.7f * (w[i] - random.Features(0)[i])) + (0.01 * w[i]) + (0.3 * (w[i] - start[i]));
                v[i] = (0.9 * v[i]) + g;
                w[i] -= 0.2 * v[i];
            }
        }

        new LocalSgd().Fit(
            objective,
            model,
            new TrainingSpec { Epochs = 5, BatchSize = 0, LearningRate = 0.2, Momentum = 0.9, WeightDecay = 0.01, ProximalMu = 0.3 },
            seed: 0);

        Assert.All(w.Zip(model.Values), pair => Assert.Equal(pair.First, pair.Second, 2e-6));
    }

    // PITFALLS 51.
    [Theory]
    [InlineData(7, 3, new[] { 3, 3, 1 })]
    [InlineData(6, 3, new[] { 3, 3 })]
    [InlineData(3, 1, new[] { 1, 1, 1 })]
    [InlineData(3, 4, new[] { 3 })]
    [InlineData(3, 3, new[] { 3 })]
    [InlineData(3, 0, new[] { 3 })]
    [InlineData(1, 1, new[] { 1 })]
    [InlineData(1, 32, new[] { 1 })]
    public void Fit_AnySizes_WalksEverySampleOnceAnEpochAndKeepsThePartialBatch(int samples, int batchSize, int[] expected)
    {
        var objective = Samples(samples);

        new LocalSgd().Fit(objective, objective.State(0), Plain with { BatchSize = batchSize }, seed: 5);

        Assert.Equal([.. expected, .. expected], objective.Batches.Select(batch => batch.Length));
        foreach (var epoch in objective.Batches.Chunk(expected.Length))
        {
            Assert.Equal(Enumerable.Range(0, samples), epoch.SelectMany(batch => batch).Order());
        }
    }

    [Fact]
    public void Fit_FullBatch_KeepsTheSamplesOwnOrder()
    {
        var objective = Samples(20);
        new LocalSgd().Fit(objective, objective.State(0), Plain, seed: 5);
        Assert.All(objective.Batches, batch => Assert.Equal(Enumerable.Range(0, 20), batch));
    }

    // PITFALLS 51.
    [Fact]
    public void Fit_MiniBatches_ReshuffleEveryEpochBySeed()
    {
        var (first, second, other) = (Walk(5), Walk(5), Walk(6));

        Assert.Equal(first, second);
        Assert.NotEqual(first, other);
        Assert.NotEqual(first.Take(50), first.Skip(50));

        static int[] Walk(long seed)
        {
            var objective = Samples(50);
            new LocalSgd().Fit(objective, objective.State(0), Plain with { BatchSize = 10 }, seed);
            return [.. objective.Batches.SelectMany(batch => batch)];
        }
    }

    [Fact] // PITFALLS 51: every batch's gradient is a mean, so a partial batch steps as far as a full one.
    public void Fit_PartialBatch_StepsAsFarAsAFullOne()
    {
        // All samples alike: w halves at each of the two steps of an epoch, whatever the batch holds.
        var objective = new QuadraticModel(1, [0f], [0f], [0f]);
        var model = objective.State(8);

        new LocalSgd().Fit(objective, model, Plain with { Epochs = 1, BatchSize = 2 }, seed: 0);

        Assert.Equal([2f], model.Values);
    }

    [Fact]
    public void Fit_PartialBatch_WeighsTheEpochsLossBySamples()
    {
        // Losses ½·(0 − c)² of three samples, at a rate too small to move: (0.5 + 2 + 8) / 3.
        var objective = new QuadraticModel(1, [1f], [2f], [4f]);

        var result = new LocalSgd().Fit(objective, objective.State(0), new TrainingSpec { BatchSize = 2, LearningRate = 1e-12 }, seed: 1);

        Assert.Equal(3.5, result.Loss, 1e-6);
        Assert.Equal(2, result.Steps);
    }

    [Fact]
    public void Fit_LossOverflows_StopsAndSaysSo()
    {
        var objective = new QuadraticModel(1, [0f]);

        var result = new LocalSgd().Fit(objective, objective.State(1), Plain with { LearningRate = 1000, Epochs = 1000 }, seed: 0);

        Assert.True(result.Diverged);
        Assert.InRange(result.Steps, 2, 100);
    }

    [Fact]
    public void Fit_Cancelled_Throws()
    {
        var objective = Samples(3);
        Assert.Throws<OperationCanceledException>(
            () => new LocalSgd().Fit(objective, objective.State(0), Plain, 0, new CancellationToken(canceled: true)));
        Assert.Empty(objective.Batches);
    }

    [Fact]
    public void Fit_OtherLayout_Throws() => Assert.Throws<ArgumentException>(
        () => new LocalSgd().Fit(Samples(3), new QuadraticModel(1, [0f, 0f]).State(0, 0), Plain, 0));

    public static TheoryData<TrainingSpec, bool> Limits => new()
    {
        { Plain with { Epochs = 0 }, false },
        { Plain with { Epochs = 1 }, true },
        { Plain with { Epochs = 1000 }, true },
        { Plain with { Epochs = 1001 }, false },
        { Plain with { BatchSize = -1 }, false },
        { Plain with { BatchSize = 1_000_000 }, true },
        { Plain with { BatchSize = 1_000_001 }, false },
        { Plain with { LearningRate = 0 }, false },
        { Plain with { LearningRate = double.Epsilon }, true },
        { Plain with { LearningRate = 1000.001 }, false },
        { Plain with { LearningRate = double.NaN }, false },
        { Plain with { Momentum = -0.001 }, false },
        { Plain with { Momentum = 0.999 }, true },
        { Plain with { Momentum = 1 }, false },
        { Plain with { WeightDecay = -0.001 }, false },
        { Plain with { WeightDecay = 1 }, true },
        { Plain with { WeightDecay = 1.001 }, false },
        { Plain with { ProximalMu = -0.001 }, false },
        { Plain with { ProximalMu = 1000 }, true },
        { Plain with { ProximalMu = 1000.001 }, false },
    };

    [Theory]
    [MemberData(nameof(Limits), DisableDiscoveryEnumeration = true)]
    public void Fit_Settings_HoldTheirLimits(TrainingSpec training, bool legal)
    {
        var objective = Samples(2);
        var failure = Record.Exception(() => new LocalSgd().Fit(objective, objective.State(0), training, 0));
        Assert.Equal(legal ? null : typeof(ArgumentOutOfRangeException), failure?.GetType());
    }

    [Fact]
    public void Fit_ProximalMuZero_GivesTheBytesOfPlainSgd()
    {
        var samples = TrainingSamples.Random(30, 9, 3, seed: 1);
        var (plain, zero) = (TrainingSamples.Model([9, 5, 3], 2), TrainingSamples.Model([9, 5, 3], 2));
        var objective = new DenseClassifier(plain.Layout, samples);
        var training = new TrainingSpec { Epochs = 3, BatchSize = 8 };

        new LocalSgd().Fit(objective, plain, training, seed: 4);
        new LocalSgd().Fit(objective, zero, training with { ProximalMu = 0, Momentum = 0, WeightDecay = 0 }, seed: 4);

        Assert.Equal(plain.Values, zero.Values);
    }

    [Fact]
    public void Fit_WarmedUp_AllocatesNothingPerStep()
    {
        var samples = TrainingSamples.Random(256, 9, 3, seed: 1);
        var model = TrainingSamples.Model([9, 5, 3], 2);
        var objective = new DenseClassifier(model.Layout, samples);
        var solver = new LocalSgd();
        var few = Allocated(new TrainingSpec { Epochs = 1, BatchSize = 1, Momentum = 0.5, ProximalMu = 0.1 });

        Assert.Equal(few, Allocated(new TrainingSpec { Epochs = 3, BatchSize = 1, Momentum = 0.5, ProximalMu = 0.1 }));

        long Allocated(TrainingSpec training) => Allocations.Least(() => solver.Fit(objective, model, training, seed: 1));
    }

    private static QuadraticModel Samples(int count) => new(1, [.. Enumerable.Range(0, count).Select(_ => new[] { 1f })]);
}
