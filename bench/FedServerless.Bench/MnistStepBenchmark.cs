using FedServerless.Client.Training;
using FedServerless.Model;
using FedServerless.Numerics;
using FedServerless.Wire;

namespace FedServerless.Bench;

/// <summary>
/// Local training and evaluation on samples shaped like MNIST, one thread: what an edge device pays for a sample; and what share of
/// the processor's multiply-adds, measured in turns with it.
/// </summary>
internal static class MnistStepBenchmark
{
    private const int Samples = 3200;
    private const int ConvSamples = 320;
    private const int Repeats = 11;

    /// <summary>The CNN of McMahan et al. 2017 (arXiv:1602.05629, section 3).</summary>
    private static readonly ArchitectureSpec Cnn = new()
    {
        Name = Architectures.Conv,
        Inputs = 784,
        Image = new ImageSpec { Height = 28, Width = 28 },
        Blocks = [new ConvBlockSpec { Channels = 32 }, new ConvBlockSpec { Channels = 64 }],
        Hidden = [512],
        Outputs = 10,
    };

    public static IReadOnlyList<Measurement> Run(IReadOnlyList<string> args)
    {
        var samples = Draw(Samples);
        var images = Draw(ConvSamples);
        return
        [
            .. Measure("784-200-10", Perceptron(200), samples, batchSize: 32),
            .. Measure("784-200-200-10", Perceptron(200, 200), samples, batchSize: 10),
            .. Measure("784-200-200-10", Perceptron(200, 200), samples, batchSize: 32),
            .. Measure("CNN", Cnn, images, batchSize: 10),
            .. Measure("CNN", Cnn, images, batchSize: 32),
        ];
    }

    private static ArchitectureSpec Perceptron(params int[] hidden) => new() { Name = Architectures.Mlp, Inputs = 784, Hidden = hidden, Outputs = 10 };

    private static IEnumerable<Measurement> Measure(string name, ArchitectureSpec spec, LabelledSamples samples, int batchSize)
    {
        var model = Architectures.Initialize(spec, seed: 1);
        var classifier = BuiltInModel.Bind(model.Layout, samples);
        var solver = new LocalSgd();
        var training = new TrainingSpec { BatchSize = batchSize, LearningRate = 0.01 };
        var (train, evaluate, peak) = (0, 1, 2);
        var times = Stopclock.TimeInTurns(
            Repeats,
            () => solver.Fit(classifier, model, training, seed: 1),
            () => classifier.Evaluate(model, CancellationToken.None),
            () => MultiplyAdds.Run());
        var (forward, backward) = MultiplyAdds.Of(spec);
        yield return Line("train", train, forward + backward, $", batch {batchSize}");
        yield return Line("evaluate", evaluate, forward, "");

        Measurement Line(string what, int which, long terms, string batch)
        {
            var (fastest, median) = times[which];
            var rate = terms * samples.Count / fastest;
            return new Measurement(
                $"{name} {what}", median / samples.Count * 1e6, "µs",
                $"a sample{batch}, median of {Repeats}; {fastest / samples.Count * 1e6:0.0} at best, {2e-9 * rate:0.0} GFLOP/s, {rate / (MultiplyAdds.PerRun / times[peak].Fastest):0 %} of the multiply-adds measured beside it");
        }
    }

    /// <summary>Four pixels in five are black, as in MNIST.</summary>
    private static LabelledSamples Draw(int count)
    {
        var random = new DeterministicRandom(1);
        var features = new float[count * 784];
        foreach (ref var value in features.AsSpan())
        {
            value = random.NextInt(5) > 0 ? 0 : (float)random.NextDouble();
        }

        var labels = new int[count];
        foreach (ref var label in labels.AsSpan())
        {
            label = random.NextInt(10);
        }

        return new LabelledSamples(features, labels, 784, 10);
    }
}
