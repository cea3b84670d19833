using System.Runtime.InteropServices;
using FedServerless.Client.Tests.Oracles;
using FedServerless.Client.Training;
using FedServerless.Model;
using FedServerless.Testing;

namespace FedServerless.Client.Tests.Training;

public sealed class ConvClassifierTests
{
    public sealed record Network(
        int[] Image, int[][] Convolutions, int[] Widths, float[] Parameters, float[] Features, int[] Labels, double Loss, double[] Gradient);

    /// <summary>Every kernel; channels and pixels on both sides of vectors and tiles; one convolution to three; batches of one pass.</summary>
    public static TheoryData<int[], int[][], int[], int> Shapes => new()
    {
        { [2, 2, 1], [[1, 1]], [2], 1 },
        { [2, 4, 1], [[2, 3]], [3], 2 },
        { [4, 2, 2], [[3, 5]], [2], 3 },
        { [4, 4, 1], [[2, 7]], [3, 2], 2 },
        { [6, 4, 3], [[8, 1]], [3], 2 },
        { [4, 6, 1], [[9, 3]], [2], 2 },
        { [2, 2, 7], [[16, 1]], [4], 2 },
        { [4, 4, 1], [[17, 3]], [2], 1 },
        { [2, 2, 2], [[33, 1]], [2], 2 },
        { [4, 4, 1], [[2, 3], [3, 3]], [5, 2], 2 },
        { [4, 8, 2], [[3, 5], [4, 3]], [3], 2 },
        { [8, 8, 1], [[2, 3], [17, 1], [2, 5]], [3], 2 },
        { [4, 4, 1], [[33, 1], [2, 1]], [2], 1 },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void LossAndGradient_AnyShape_AgreesWithFiniteDifferencesInDouble(int[] image, int[][] convolutions, int[] widths, int batchSize)
    {
        var spec = ConvSamples.Spec(image, convolutions, widths);
        var samples = ConvSamples.Samples(spec, batchSize, seed: 5);
        var model = ConvSamples.Model(spec, seed: 6);
        var parameters = Array.ConvertAll(model.Values, value => (double)value);
        var batch = Enumerable.Range(0, batchSize)
            .Select(i => (Array.ConvertAll(samples.Features(i).ToArray(), value => (double)value), samples.Label(i)))
            .ToArray();
        var gradient = new float[parameters.Length];
        gradient.AsSpan().Fill(float.NaN); // What was there must not matter.

        var loss = new ConvClassifier(model.Layout, samples).LossAndGradient(model, [.. Enumerable.Range(0, batchSize)], gradient);

        Assert.Equal(ReferenceConvNetwork.MeanLoss(spec, parameters, batch), loss, 5e-6 * Math.Max(1, loss));
        var expected = ReferenceConvNetwork.Gradient(spec, parameters, batch);
        Assert.All(expected.Zip(gradient), pair => Assert.Equal(pair.First, pair.Second, 1e-4));
    }

    // Numpy's, by sums over shifted images: no finite differences, and pixels that tie in one case.
    [Fact]
    public void LossAndGradient_Networks_GiveNumpys() => Assert.All(Oracle.Load<Network>("conv_gradients.json"), oracle =>
    {
        var spec = ConvSamples.Spec(oracle.Image, oracle.Convolutions, oracle.Widths);
        var samples = new LabelledSamples(oracle.Features, oracle.Labels, spec.Inputs, spec.Outputs);
        var layout = Architectures.Layout(spec);
        var gradient = new float[oracle.Parameters.Length];

        var loss = new ConvClassifier(layout, samples).LossAndGradient(
            new ModelState(layout, oracle.Parameters, []), [.. Enumerable.Range(0, oracle.Labels.Length)], gradient);

        Assert.Equal(oracle.Loss, loss, 1e-5 * Math.Max(1, loss));
        Assert.All(oracle.Gradient.Zip(gradient), pair => Assert.Equal(pair.First, pair.Second, 1e-5 * Math.Max(1, Math.Abs(pair.First))));
    });

    [Fact]
    public void LossAndGradient_AllPixelsTie_GivesTheGradientToTheFirst()
    {
        // An image of ones, a kernel that is 1 in its middle: all four outputs are 1. The first pixel sees ones at the taps right and below.
        var spec = ConvSamples.Spec([2, 2, 1], [[1, 3]], [2]);
        var model = Architectures.Initialize(spec, 0);
        model.Values.AsSpan().Clear();
        (model.Values[4], model.Values[10]) = (1, 1);
        var gradient = new float[model.Values.Length];

        new ConvClassifier(model.Layout, new LabelledSamples([1, 1, 1, 1], [1], 4, 2)).LossAndGradient(model, [0], gradient);

        // Scores are (1, 0), the label is 1: the gradient of the first score, and of what was pooled, is e/(1 + e).
        var delta = (float)(Math.E / (1 + Math.E));
        Assert.Equal([0, 0, 0, 0, delta, delta, 0, delta, delta, delta, delta, -delta, delta, -delta], gradient, (a, b) => Math.Abs(a - b) < 1e-6);
    }

    [Fact]
    public void LossAndGradient_LargestIsZero_HasNoGradientBelow()
    {
        var spec = ConvSamples.Spec([2, 2, 1], [[1, 1]], [2]);
        var model = Architectures.Initialize(spec, 0);
        (model.Values[0], model.Values[1]) = (0, 0);
        var gradient = new float[model.Values.Length];

        new ConvClassifier(model.Layout, new LabelledSamples([1, 2, 3, 4], [1], 4, 2)).LossAndGradient(model, [0], gradient);

        Assert.Equal([0f, 0f], gradient[..2]);
    }

    [Fact]
    public void LossAndGradient_BatchOfManyPasses_IsTheMeanOfItsSamples()
    {
        // 64 samples pass together at most.
        var spec = ConvSamples.Spec([4, 4, 1], [[3, 3]], [2]);
        var samples = ConvSamples.Samples(spec, 150, seed: 1);
        var model = ConvSamples.Model(spec, seed: 2);
        var classifier = new ConvClassifier(model.Layout, samples);
        var (one, mean, all) = (new float[model.Values.Length], new double[model.Values.Length], new float[model.Values.Length]);
        var loss = 0.0;
        for (var i = 0; i < samples.Count; i++)
        {
            loss += classifier.LossAndGradient(model, [i], one) / samples.Count;
            for (var p = 0; p < one.Length; p++)
            {
                mean[p] += (double)one[p] / samples.Count;
            }
        }

        Assert.Equal(loss, classifier.LossAndGradient(model, [.. Enumerable.Range(0, samples.Count)], all), 1e-6);
        Assert.All(mean.Zip(all), pair => Assert.Equal(pair.First, pair.Second, 1e-5));
        Assert.Equal(loss, classifier.Evaluate(model, CancellationToken.None).Loss, 1e-6);
    }

    [Fact]
    public void LossAndGradient_WarmedUp_AllocatesNothing()
    {
        var samples = ConvSamples.Samples(ConvSamples.DigitsNet, 70, seed: 1);
        var model = ConvSamples.Model(ConvSamples.DigitsNet, seed: 2);
        var classifier = new ConvClassifier(model.Layout, samples);
        var gradient = new float[model.Values.Length];
        int[] batch = [.. Enumerable.Range(0, 70)];
        classifier.LossAndGradient(model, batch, gradient);

        Assert.Equal(0, Allocations.Least(() => classifier.LossAndGradient(model, batch, gradient)));
    }

    // What one batch leaves in scratch memory must not reach the next.
    [Fact]
    public void LossAndGradient_AfterOthers_GivesTheSameBytes()
    {
        var samples = ConvSamples.Samples(ConvSamples.DigitsNet, 90, seed: 1);
        var model = ConvSamples.Model(ConvSamples.DigitsNet, seed: 2);
        int[] batch = [5, 3, 88, 5];
        var (first, second) = (new float[model.Values.Length], new float[model.Values.Length]);
        var used = new ConvClassifier(model.Layout, samples);
        used.LossAndGradient(ConvSamples.Model(ConvSamples.DigitsNet, seed: 9), [.. Enumerable.Range(0, 90)], first);
        used.Evaluate(model, CancellationToken.None);

        used.LossAndGradient(model, batch, first);
        new ConvClassifier(model.Layout, samples).LossAndGradient(model, batch, second);

        Assert.True(MemoryMarshal.AsBytes<float>(first).SequenceEqual(MemoryMarshal.AsBytes<float>(second)));
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void LossAndGradient_WeightIsNotFinite_NorIsTheLoss(float value)
    {
        var samples = ConvSamples.Samples(ConvSamples.DigitsNet, 2, seed: 1);
        var model = ConvSamples.Model(ConvSamples.DigitsNet, seed: 2);
        model.Values[0] = value;

        Assert.False(double.IsFinite(new ConvClassifier(model.Layout, samples).LossAndGradient(model, [0, 1], new float[model.Values.Length])));
    }

    [Fact]
    public void Evaluate_KnownScores_CountsLossAndAccuracy()
    {
        // The pooled value is the image's maximum m; scores are (m, 2). Class 1 is right for m = 1 and wrong for m = 3 with label 1.
        var spec = ConvSamples.Spec([2, 2, 1], [[1, 1]], [2]);
        var model = new ModelState(Architectures.Layout(spec), [1, 0, 1, 0, 0, 2], []);
        var samples = new LabelledSamples([1, 0, -1, 0, 0, 3, 2, 1], [1, 1], 4, 2);

        var result = new ConvClassifier(model.Layout, samples).Evaluate(model, CancellationToken.None);

        Assert.Equal((2, 0.5), (result.Samples, result.Accuracy));
        Assert.Equal((Math.Log(1 + Math.Exp(-1)) + Math.Log(1 + Math.Exp(1))) / 2, result.Loss, 1e-6);
    }

    [Fact]
    public void Constructor_SamplesDoNotFit_ThrowsWithBothSides()
    {
        var layout = Architectures.Layout(ConvSamples.DigitsNet);

        var failure = Assert.Throws<ArgumentException>(() => new ConvClassifier(layout, TrainingSamples.Random(2, 63, 10, 1)));

        Assert.Contains("takes 64 features", failure.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => new ConvClassifier(layout, TrainingSamples.Random(2, 64, 11, 1)));
        Assert.Throws<ArgumentOutOfRangeException>(() => new ConvClassifier(layout, new LabelledSamples([], [], 64, 10)));
    }

    [Fact]
    public void Constructor_LayoutHasNoConvolution_Throws()
    {
        var failure = Assert.Throws<ArgumentException>(
            () => new ConvClassifier(Architectures.Layout(TrainingSamples.Spec(5, 3)), TrainingSamples.Random(2, 5, 3, 1)));

        Assert.Contains("the first is 'fc1.weight'", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Bind_BuiltInArchitectures_GivesTheClassifierOfEach()
    {
        Assert.IsType<ConvClassifier>(BuiltInModel.Bind(Architectures.Layout(ConvSamples.DigitsNet), TrainingSamples.Digits));
        Assert.IsType<DenseClassifier>(BuiltInModel.Bind(Architectures.Layout(TrainingSamples.Spec(64, 10)), TrainingSamples.Digits));
    }

    [Fact]
    public void LossAndGradient_UnknownSample_Throws()
    {
        var model = ConvSamples.Model(ConvSamples.DigitsNet, seed: 1);
        var classifier = new ConvClassifier(model.Layout, ConvSamples.Samples(ConvSamples.DigitsNet, 3, seed: 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => classifier.LossAndGradient(model, [3], new float[model.Values.Length]));
    }
}
