using FedServerless.Client.Training;
using FedServerless.Model;
using FedServerless.Numerics;
using FedServerless.Wire;

namespace FedServerless.Bench;

/// <summary>Local training and evaluation on samples shaped like MNIST, one thread: what an edge device pays for a sample.</summary>
internal static class MnistStepBenchmark
{
    private const int Samples = 3200;
    private const int Repeats = 11;

    public static IReadOnlyList<Measurement> Run(IReadOnlyList<string> args)
    {
        var samples = Draw();
        return
        [
            .. Measure(samples, [200], batchSize: 32),
            .. Measure(samples, [200, 200], batchSize: 10),
            .. Measure(samples, [200, 200], batchSize: 32),
        ];
    }

    private static IEnumerable<Measurement> Measure(LabelledSamples samples, int[] hidden, int batchSize)
    {
        var name = $"784-{string.Join('-', hidden)}-10";
        var model = Architectures.Initialize(
            new ArchitectureSpec { Name = Architectures.Mlp, Inputs = 784, Hidden = hidden, Outputs = 10 }, seed: 1);
        var classifier = new DenseClassifier(model.Layout, samples);
        var solver = new LocalSgd();
        var training = new TrainingSpec { BatchSize = batchSize, LearningRate = 0.01 };
        var (fastest, median) = Stopclock.Time(Repeats, () => solver.Fit(classifier, model, training, seed: 1));
        yield return new Measurement($"{name} train", median / Samples * 1e6, "µs", $"a sample, batch {batchSize}, median of {Repeats}; {fastest / Samples * 1e6:0.0} at best");
        (fastest, median) = Stopclock.Time(Repeats, () => classifier.Evaluate(model, CancellationToken.None));
        yield return new Measurement($"{name} evaluate", median / Samples * 1e6, "µs", $"a sample, median of {Repeats}; {fastest / Samples * 1e6:0.0} at best");
    }

    /// <summary>Four pixels in five are black, as in MNIST.</summary>
    private static LabelledSamples Draw()
    {
        var random = new DeterministicRandom(1);
        var features = new float[Samples * 784];
        foreach (ref var value in features.AsSpan())
        {
            value = random.NextInt(5) > 0 ? 0 : (float)random.NextDouble();
        }

        var labels = new int[Samples];
        foreach (ref var label in labels.AsSpan())
        {
            label = random.NextInt(10);
        }

        return new LabelledSamples(features, labels, 784, 10);
    }
}
