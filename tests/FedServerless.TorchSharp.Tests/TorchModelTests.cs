using FedServerless.Client.TorchSharp;
using FedServerless.Client.Training;
using FedServerless.Model;
using FedServerless.Wire;
using static TorchSharp.torch;

namespace FedServerless.TorchSharp.Tests;

/// <summary>Gradients, modes and statistics; on the CPU, and with the copies that other devices need.</summary>
public sealed class TorchModelTests
{
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void LossAndGradient_Perceptron_AgreesWithTheBuiltInClassifier(bool staged)
    {
        // The oracle is DenseClassifier, whose gradients are checked by finite differences in its own tests.
        var state = Architectures.Initialize(new ArchitectureSpec { Name = "mlp", Inputs = 6, Hidden = [5], Outputs = 3 }, 4);
        var samples = Modules.Samples();
        int[] batch = [3, 1, 4, 15, 9, 2, 6];
        var (expected, actual) = (new float[state.Parameters.Length], new float[state.Parameters.Length]);
        var expectedLoss = new DenseClassifier(state.Layout, samples).LossAndGradient(state, batch, expected);

        var model = new TorchModel(Modules.Classifier(Modules.Perceptron()), TorchSamples.Of(samples), state.Layout, null, staged);
        var loss = model.LossAndGradient(state, batch, actual);

        Assert.Equal(expectedLoss, loss, 1e-6);
        Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, 1e-6f));
    }

    [Fact]
    public void LossAndGradient_AgainAtOtherWeights_AccumulatesNothing()
    {
        var module = Modules.Perceptron();
        var state = TorchModelFile.Read(module);
        var model = new TorchModel(Modules.Classifier(module), TorchSamples.Of(Modules.Samples()), state.Layout);
        var (first, again) = (new float[state.Parameters.Length], new float[state.Parameters.Length]);
        model.LossAndGradient(state, Modules.All(20), first);
        var kept = state.Parameters.ToArray();
        state.Parameters.Fill(0.1f);
        model.LossAndGradient(state, Modules.All(20), again);
        kept.CopyTo(state.Parameters);

        model.LossAndGradient(state, Modules.All(20), again);

        Assert.Equal(first, again);
        Assert.All(module.parameters(), parameter => Assert.Null(parameter.grad));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void LossAndGradient_BatchNorm_MovesItsStatisticsAndItsCount(bool staged)
    {
        using var module = new Mixed();
        var state = TorchModelFile.Read(module);
        var model = new TorchModel(Modules.Classifier(module), Mixed.Samples(), state.Layout, null, staged);
        Assert.Equal([0, 0, 1, 1], state.Buffers.ToArray());

        model.LossAndGradient(state, Modules.All(12), new float[state.Parameters.Length]);
        model.LossAndGradient(state, Modules.All(12), new float[state.Parameters.Length]);

        Assert.Equal([2], state.Integers);
        Assert.Equal(module.Norm.running_mean!.data<float>().ToArray(), state.Buffers[..2].ToArray());
        Assert.Equal(module.Norm.running_var!.data<float>().ToArray(), state.Buffers[2..].ToArray());
        Assert.All(state.Buffers.ToArray(), value => Assert.True(value is not 0 and not 1));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Evaluate_AfterTraining_DropsNothingOutAndChangesNothing(bool staged)
    {
        using var module = new Mixed();
        var state = TorchModelFile.Read(module);
        var model = new TorchModel(Modules.Classifier(module), Mixed.Samples(), state.Layout, null, staged);
        model.LossAndGradient(state, Modules.All(12), new float[state.Parameters.Length]);
        var before = state.Clone();

        var first = model.Evaluate(state, Cancel);
        var second = model.Evaluate(state, Cancel);

        Assert.Equal(first, second);
        Assert.Equal(before.Values, state.Values);
        Assert.Equal(before.Integers, state.Integers);
    }

    [Fact]
    public void LossAndGradient_AfterAnEvaluation_TrainsAgain()
    {
        using var module = new Mixed();
        var state = TorchModelFile.Read(module);
        var model = new TorchModel(Modules.Classifier(module), Mixed.Samples(), state.Layout);
        model.Evaluate(state, Cancel);

        model.LossAndGradient(state, Modules.All(12), new float[state.Parameters.Length]);

        Assert.Equal([1], state.Integers);
    }

    [Fact]
    public void LossAndGradient_SubmoduleHeldInEvaluationMode_StaysInIt()
    {
        using var module = new Mixed();
        module.Norm.eval();
        var state = TorchModelFile.Read(module);
        var model = new TorchModel(Modules.Classifier(module), Mixed.Samples(), state.Layout);
        model.LossAndGradient(state, Modules.All(12), new float[state.Parameters.Length]);
        model.Evaluate(state, Cancel);
        model.LossAndGradient(state, Modules.All(12), new float[state.Parameters.Length]);

        Assert.Equal([0], state.Integers);
        Assert.True(module.training);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void LossAndGradient_BatchOfOne_LeavesStatisticsAloneAndTheNextBatchMovesThem(bool staged)
    {
        var module = nn.Sequential(("fc", nn.Linear(Modules.Features, 4)), ("norm", nn.BatchNorm1d(4)), ("out", nn.Linear(4, Modules.Classes)));
        var state = TorchModelFile.Read(module);
        var model = new TorchModel(Modules.Classifier(module), TorchSamples.Of(Modules.Samples()), state.Layout, null, staged);
        var gradient = new float[state.Parameters.Length];
        model.LossAndGradient(state, [0, 1, 2], gradient);
        var (buffers, count) = (state.Buffers.ToArray(), state.Integers[0]);

        model.LossAndGradient(state, [3], gradient);

        Assert.Equal(buffers, state.Buffers.ToArray());
        Assert.Equal(count, state.Integers[0]);
        Assert.All(gradient[..24], value => Assert.True(value != 0 && float.IsFinite(value)));
        model.LossAndGradient(state, [4, 5], gradient);
        Assert.Equal(count + 1, state.Integers[0]);
        Assert.NotEqual(buffers, state.Buffers.ToArray());
    }

    [Fact]
    public void LossAndGradient_StatisticsThatAreNotFinite_AreRefusedBeforeTheNextStep()
    {
        using var module = new Mixed();
        var state = TorchModelFile.Read(module);
        var samples = TorchSamples.Of(full([2, 1, 4, 4], float.PositiveInfinity), zeros(2, dtype: int64));
        var model = new TorchModel(Modules.Classifier(module), samples, state.Layout);

        var refusal = Assert.Throws<InvalidOperationException>(() => model.LossAndGradient(state, [0, 1], new float[state.Parameters.Length]));

        Assert.Contains("A buffer of the module is not finite after a batch of 2", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Evaluate_MoreSamplesThanABatch_WeighsThemAll()
    {
        const int Count = (2 * TorchModel.EvaluationBatch) + 1;
        var state = Architectures.Initialize(new ArchitectureSpec { Name = "mlp", Inputs = 6, Hidden = [5], Outputs = 3 }, 4);
        var samples = Modules.Samples(Count);
        var expected = new DenseClassifier(state.Layout, samples).Evaluate(state, Cancel);

        var actual = new TorchModel(Modules.Classifier(Modules.Perceptron()), TorchSamples.Of(samples), state.Layout).Evaluate(state, Cancel);

        Assert.Equal(Count, actual.Samples);
        Assert.Equal(expected.Loss, actual.Loss, 1e-6);
        Assert.Equal(expected.Accuracy!.Value, actual.Accuracy!.Value, 1e-12);
    }

    [Fact]
    public void Evaluate_Regression_HasNoAccuracy()
    {
        using var module = nn.Linear(Modules.Features, 1);
        var objective = new TorchObjective(module, (outputs, targets) => nn.functional.mse_loss(outputs, targets));
        var samples = TorchSamples.Of(ones(4, Modules.Features), zeros(4, 1));

        var result = new TorchModel(objective, samples, TorchModelFile.Read(module).Layout).Evaluate(TorchModelFile.Read(module), Cancel);

        Assert.Null(result.Accuracy);
        Assert.True(result.Loss > 0);
    }

    [Fact]
    public void LossAndGradient_UnusedSharedAndFrozenParameters_AreZeroOnceAndBuffers()
    {
        using var module = new Odd();
        var state = TorchModelFile.Read(module);
        var model = new TorchModel(Modules.Classifier(module), TorchSamples.Of(Modules.Samples()), state.Layout);
        var gradient = Enumerable.Repeat(float.NaN, state.Parameters.Length).ToArray();

        model.LossAndGradient(state, Modules.All(20), gradient);

        Assert.Equal(["used", "unused", "still"], state.Layout.Tensors.Select(tensor => tensor.Name));
        Assert.Equal([1f, 1f, 1f], state.Buffers.ToArray());
        Assert.All(gradient[..18], value => Assert.True(value != 0 && float.IsFinite(value)));
        Assert.Equal([0f, 0f, 0f, 0f], gradient[18..]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void LossAndGradient_ModulesOfNativeCode_ReadTheModelsWeights(bool staged)
    {
        // An LSTM and an embedding keep their weights in native code; the gradient must be that of the weights in the model, and match differences.
        using var module = new Reader();
        var state = TorchModelFile.Read(module);
        var model = new TorchModel(Modules.Classifier(module), Reader.Samples(), state.Layout, null, staged);
        var (gradient, scratch) = (new float[state.Parameters.Length], new float[state.Parameters.Length]);
        for (var i = 0; i < state.Values.Length; i++)
        {
            state.Values[i] = 0.3f * (((i * 7) % 11) - 5) / 5;
        }

        model.LossAndGradient(state, [0, 1, 2, 3], gradient);

        for (var tensor = 0; tensor < state.Layout.Tensors.Count; tensor++)
        {
            var at = (int)state.Layout.Offsets[tensor];
            var kept = state.Values[at];
            state.Values[at] = kept + 0.01f;
            var above = model.LossAndGradient(state, [0, 1, 2, 3], scratch);
            state.Values[at] = kept - 0.01f;
            var below = model.LossAndGradient(state, [0, 1, 2, 3], scratch);
            state.Values[at] = kept;
            Assert.Equal((above - below) / 0.02, gradient[at], 1e-4);
        }

        Assert.Contains(gradient, value => Math.Abs(value) > 1e-3);
    }

    [Fact]
    public void LossAndGradient_LossPerSample_IsRefused()
    {
        using var module = nn.Linear(Modules.Features, Modules.Classes);
        var objective = new TorchObjective(module, (outputs, targets) => nn.functional.cross_entropy(outputs, targets, reduction: nn.Reduction.None));
        var state = TorchModelFile.Read(module);
        var model = new TorchModel(objective, TorchSamples.Of(Modules.Samples()), state.Layout);

        var refusal = Assert.Throws<InvalidOperationException>(() => model.LossAndGradient(state, [0, 1], new float[state.Parameters.Length]));

        Assert.Equal("The loss is [2]; expected one number, the mean of the batch.", refusal.Message);
    }

    [Fact]
    public void LossAndGradient_LossWithoutTheModule_IsRefused()
    {
        using var module = nn.Linear(Modules.Features, Modules.Classes);
        var objective = new TorchObjective(module, (_, targets) => targets.to(float32).mean());
        var state = TorchModelFile.Read(module);
        var model = new TorchModel(objective, TorchSamples.Of(Modules.Samples()), state.Layout);

        var refusal = Assert.Throws<InvalidOperationException>(() => model.LossAndGradient(state, [0, 1], new float[state.Parameters.Length]));

        Assert.Contains("does not depend on the module's parameters", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void LossAndGradient_ModuleThatThrows_LeavesNoGradientBehind()
    {
        using var module = nn.Linear(Modules.Features + 1, Modules.Classes);
        var state = TorchModelFile.Read(module);
        var model = new TorchModel(Modules.Classifier(module), TorchSamples.Of(Modules.Samples()), state.Layout);

        Assert.ThrowsAny<Exception>(() => model.LossAndGradient(state, [0, 1], new float[state.Parameters.Length]));

        Assert.All(module.parameters(), parameter => Assert.Null(parameter.grad));
    }
}
