using System.Runtime.InteropServices;
using FedServerless.Client.Training;
using FedServerless.Model;
using FedServerless.Testing;

namespace FedServerless.Client.Tests.Training;

public sealed class DenseClassifierTests
{
    /// <summary>Widths on both sides of every vector length and of the tiles of four outputs and two rows.</summary>
    public static TheoryData<int[], int> Shapes => new()
    {
        { [1, 2], 1 },
        { [3, 2], 2 },
        { [4, 3], 3 },
        { [5, 4], 2 },
        { [7, 5], 5 },
        { [8, 2], 4 },
        { [9, 3], 7 },
        { [15, 2], 2 },
        { [16, 4], 3 },
        { [17, 3], 1 },
        { [31, 2], 2 },
        { [32, 3], 2 },
        { [33, 2], 3 },
        { [6, 1, 2], 4 },
        { [9, 8, 3], 5 },
        { [8, 9, 4], 2 },
        { [5, 17, 2], 3 },
        { [4, 32, 2], 3 },
        { [4, 33, 3], 2 },
        { [7, 6, 5, 4], 3 },
        { [3, 4, 2], 70 },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void LossAndGradient_AnyShape_AgreesWithFiniteDifferencesInDouble(int[] widths, int batchSize)
    {
        var samples = TrainingSamples.Random(batchSize, widths[0], widths[^1], seed: batchSize + widths.Sum());
        var model = TrainingSamples.Model(widths, seed: widths.Length);
        var parameters = Array.ConvertAll(model.Values, value => (double)value);
        var batch = Enumerable.Range(0, batchSize)
            .Select(i => (Array.ConvertAll(samples.Features(i).ToArray(), value => (double)value), samples.Label(i)))
            .ToArray();
        var gradient = new float[parameters.Length];
        gradient.AsSpan().Fill(float.NaN); // What was there must not matter.

        var loss = new DenseClassifier(model.Layout, samples).LossAndGradient(model, [.. Enumerable.Range(0, batchSize)], gradient);

        Assert.Equal(ReferenceNetwork.MeanLoss(widths, parameters, batch), loss, 2e-6 * Math.Max(1, loss));
        var expected = ReferenceNetwork.Gradient(widths, parameters, batch);
        Assert.All(expected.Zip(gradient), pair => Assert.Equal(pair.First, pair.Second, 2e-5));
    }

    [Fact]
    public void LossAndGradient_OneFeatureTwoClasses_IsTheHandComputedOne()
    {
        // Scores are 0 and 0, so both probabilities are ½: loss ln 2, delta (½ − 1, ½), weight gradient delta · x with x = 4.
        var model = Architectures.Initialize(TrainingSamples.Spec(1, 2), 0);
        var gradient = new float[4];

        var loss = new DenseClassifier(model.Layout, new LabelledSamples([4], [0], 1, 2)).LossAndGradient(model, [0], gradient);

        Assert.Equal(Math.Log(2), loss, 1e-7);
        Assert.Equal([-2f, 2f, -0.5f, 0.5f], gradient);
    }

    [Fact]
    public void LossAndGradient_HugeScores_StaysFinite()
    {
        var model = Architectures.Initialize(TrainingSamples.Spec(1, 2), 0);
        model.Values[0] = 1e20f;
        var gradient = new float[4];
        var classifier = new DenseClassifier(model.Layout, new LabelledSamples([1], [0], 1, 2));

        Assert.Equal(0, classifier.LossAndGradient(model, [0], gradient));
        Assert.Equal([0f, 0f, 0f, 0f], gradient);
    }

    [Fact]
    public void LossAndGradient_RepeatedSample_IsThatSampleAlone()
    {
        var samples = TrainingSamples.Random(3, 9, 4, seed: 1);
        var model = TrainingSamples.Model([9, 5, 4], seed: 2);
        var classifier = new DenseClassifier(model.Layout, samples);
        var (once, often) = (new float[model.Values.Length], new float[model.Values.Length]);

        var lossOnce = classifier.LossAndGradient(model, [1], once);
        var lossOften = classifier.LossAndGradient(model, [.. Enumerable.Repeat(1, 300)], often);

        Assert.Equal(lossOnce, lossOften, 1e-6);
        Assert.All(once.Zip(often), pair => Assert.Equal(pair.First, pair.Second, 1e-5f));
    }

    [Fact]
    public void LossAndGradient_WarmedUp_AllocatesNothing()
    {
        var samples = TrainingSamples.Random(100, 33, 5, seed: 1);
        var model = TrainingSamples.Model([33, 17, 5], seed: 2);
        var classifier = new DenseClassifier(model.Layout, samples);
        var gradient = new float[model.Values.Length];
        int[] batch = [.. Enumerable.Range(0, 100)];
        classifier.LossAndGradient(model, batch, gradient);

        Assert.Equal(0, Allocations.Least(() => classifier.LossAndGradient(model, batch, gradient)));
    }

    [Fact]
    public void LossAndGradient_EmptyBatch_Throws()
    {
        var (classifier, model) = Small();
        Assert.Throws<ArgumentOutOfRangeException>(() => classifier.LossAndGradient(model, [], new float[model.Values.Length]));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(3)]
    [InlineData(int.MaxValue)]
    public void LossAndGradient_UnknownSample_Throws(int sample)
    {
        var (classifier, model) = Small();
        Assert.Throws<ArgumentOutOfRangeException>(() => classifier.LossAndGradient(model, [sample], new float[model.Values.Length]));
    }

    [Fact]
    public void LossAndGradient_OtherLayout_Throws()
    {
        var (classifier, _) = Small();
        var other = TrainingSamples.Model([5, 2], seed: 1);
        Assert.Throws<ArgumentException>(() => classifier.LossAndGradient(other, [0], new float[other.Values.Length]));
    }

    [Fact]
    public void Evaluate_KnownScores_CountsLossAndAccuracy()
    {
        // Scores are (x, −x): class 0 is right for x = 1 and for x = 2, and wrong for x = 3, whose label is 1.
        var model = Architectures.Initialize(TrainingSamples.Spec(1, 2), 0);
        (model.Values[0], model.Values[1]) = (1, -1);
        var samples = new LabelledSamples([1, 2, 3], [0, 0, 1], 1, 2);

        var result = new DenseClassifier(model.Layout, samples).Evaluate(model, CancellationToken.None);

        var expected = (Math.Log(1 + Math.Exp(-2)) + Math.Log(1 + Math.Exp(-4)) + Math.Log(1 + Math.Exp(6))) / 3;
        Assert.Equal(3, result.Samples);
        Assert.Equal(expected, result.Loss, 1e-6);
        Assert.Equal(2.0 / 3, result.Accuracy!.Value, 1e-12);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(63)]
    [InlineData(64)]
    [InlineData(65)]
    [InlineData(200)]
    public void Evaluate_AnyCount_HasTheLossOfOneFullBatch(int count)
    {
        var samples = TrainingSamples.Random(count, 9, 4, seed: 3);
        var model = TrainingSamples.Model([9, 6, 4], seed: 4);
        var classifier = new DenseClassifier(model.Layout, samples);

        var expected = classifier.LossAndGradient(model, [.. Enumerable.Range(0, count)], new float[model.Values.Length]);

        Assert.Equal(expected, classifier.Evaluate(model, CancellationToken.None).Loss, 1e-9);
    }

    [Fact]
    public void Constructor_SamplesDoNotFit_ThrowsWithBothSides()
    {
        var layout = Architectures.Layout(TrainingSamples.Spec(5, 3));

        var features = Assert.Throws<ArgumentException>(() => new DenseClassifier(layout, TrainingSamples.Random(2, 4, 3, 1)));
        Assert.Contains("takes 5 features", features.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => new DenseClassifier(layout, TrainingSamples.Random(2, 5, 4, 1)));
        Assert.NotNull(new DenseClassifier(layout, TrainingSamples.Random(2, 5, 2, 1)));
    }

    [Fact]
    public void Constructor_NoSample_Throws() => Assert.Throws<ArgumentOutOfRangeException>(
        () => new DenseClassifier(Architectures.Layout(TrainingSamples.Spec(5, 3)), new LabelledSamples([], [], 5, 3)));

    [Theory]
    [InlineData("conv1.weight", "conv1.bias", 2, 3, 2, TensorRole.Parameter)]
    [InlineData("fc1.weight", "fc2.bias", 2, 3, 2, TensorRole.Parameter)]
    [InlineData("fc1.weight", "fc1.bias", 2, 3, 3, TensorRole.Parameter)]
    [InlineData("fc1.weight", "fc1.bias", 2, 3, 2, TensorRole.Buffer)]
    public void Constructor_LayoutIsNotFullyConnected_Throws(
        string weight, string bias, int outputs, int inputs, int biases, TensorRole biasRole)
    {
        var layout = TensorLayout.Create(
        [
            new TensorSpec(weight, [outputs, inputs], TensorRole.Parameter),
            new TensorSpec(bias, [biases], biasRole),
        ]);

        var failure = Assert.Throws<ArgumentException>(() => new DenseClassifier(layout, TrainingSamples.Random(2, 3, 2, 1)));
        Assert.Contains("fully connected layer 1", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Constructor_LayersDoNotChain_Throws()
    {
        var layout = TensorLayout.Create(
        [
            new TensorSpec("fc1.weight", [4, 3], TensorRole.Parameter),
            new TensorSpec("fc1.bias", [4], TensorRole.Parameter),
            new TensorSpec("fc2.weight", [2, 5], TensorRole.Parameter),
            new TensorSpec("fc2.bias", [2], TensorRole.Parameter),
        ]);

        Assert.Throws<ArgumentException>(() => new DenseClassifier(layout, TrainingSamples.Random(2, 3, 2, 1)));
    }

    [Fact]
    public void LossAndGradient_Twice_GivesTheSameBytes()
    {
        var samples = TrainingSamples.Random(40, 33, 5, seed: 1);
        var model = TrainingSamples.Model([33, 17, 5], seed: 2);
        int[] batch = [.. Enumerable.Range(0, 40)];
        var (first, second) = (new float[model.Values.Length], new float[model.Values.Length]);

        new DenseClassifier(model.Layout, samples).LossAndGradient(model, batch, first);
        new DenseClassifier(model.Layout, samples).LossAndGradient(model, batch, second);

        Assert.True(MemoryMarshal.AsBytes<float>(first).SequenceEqual(MemoryMarshal.AsBytes<float>(second)));
    }

    private static (DenseClassifier Classifier, ModelState Model) Small()
    {
        var model = TrainingSamples.Model([4, 2], seed: 1);
        return (new DenseClassifier(model.Layout, TrainingSamples.Random(3, 4, 2, seed: 1)), model);
    }
}
