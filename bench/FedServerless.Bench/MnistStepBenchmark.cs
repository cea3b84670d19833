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
    private const int Repeats = 301;

    /// <summary>The CNN of McMahan et al. 2017 (arXiv:1602.05629, section 3).</summary>
    private static readonly ArchitectureSpec Cnn = new()
    {
        Name = Architectures.Conv,
        Inputs = 784,
        Image = new ImageSpec { Height = 28, Width = 28 },
        Convolutions = [new ConvolutionSpec { Channels = 32 }, new ConvolutionSpec { Channels = 64 }],
        Hidden = [512],
        Outputs = 10,
    };

    public static IReadOnlyList<Measurement> Run(IReadOnlyList<string> args)
    {
        return
        [
            .. Measure("784-200-10", Perceptron(200), batch: 10),
            .. Measure("784-200-10", Perceptron(200), batch: 32),
            .. Measure("784-200-200-10", Perceptron(200, 200), batch: 10),
            .. Measure("784-200-200-10", Perceptron(200, 200), batch: 32),
            .. Measure("CNN", Cnn, batch: 10),
            .. Measure("CNN", Cnn, batch: 32),
        ];
    }

    private static ArchitectureSpec Perceptron(params int[] hidden) => new() { Name = Architectures.Mlp, Inputs = 784, Hidden = hidden, Outputs = 10 };

    /// <summary>One step at a time, so that a busy neighbour does not interrupt every measurement.</summary>
    private static IEnumerable<Measurement> Measure(string name, ArchitectureSpec spec, int batch)
    {
        var samples = Draw(batch);
        var model = Architectures.Initialize(spec, seed: 1);
        var classifier = BuiltInModel.Bind(model.Layout, samples);
        var solver = new LocalSgd();
        var training = new TrainingSpec { BatchSize = batch, LearningRate = 1e-6 };
        var (train, evaluate, peak) = (0, 1, 2);
        var times = Stopclock.TimeInTurns(
            Repeats,
            () => solver.Fit(classifier, model, training, seed: 1),
            () => classifier.Evaluate(model, CancellationToken.None),
            () => MultiplyAdds.Run());
        var (forward, backward) = MultiplyAdds.Of(spec);
        yield return Line("train", train, forward + backward);
        yield return Line("evaluate", evaluate, forward);

        Measurement Line(string what, int which, long terms)
        {
            var (fastest, median) = times[which];
            var rate = terms * batch / fastest;
            return new Measurement(
                $"{name} {what}", fastest / batch * 1e6, "µs",
                $"a sample of a batch of {batch}, fastest of {Repeats}; median {median / batch * 1e6:0.0}; {2e-9 * rate:0} GFLOP/s, {rate / (MultiplyAdds.PerRun / times[peak].Fastest):0 %} of the multiply-adds measured beside it");
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
