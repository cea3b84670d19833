using FedServerless.Client.Training;
using FedServerless.Model;
using FedServerless.Numerics;
using FedServerless.Wire;

namespace FedServerless.Client.Tests.Training;

/// <summary>Samples and models for the tests of training.</summary>
internal static class TrainingSamples
{
    private static readonly Lazy<LabelledSamples> LazyDigits = new(() => SampleFiles.ReadCsv(DigitsPath(), 10, 1.0 / 16));

    public static LabelledSamples Digits => LazyDigits.Value;

    public static LabelledSamples Random(int count, int features, int classes, long seed)
    {
        var random = new DeterministicRandom(seed);
        var values = new float[count * features];
        foreach (ref var value in values.AsSpan())
        {
            value = (float)random.NextGaussian();
        }

        var labels = new int[count];
        foreach (ref var label in labels.AsSpan())
        {
            label = random.NextInt(classes);
        }

        return new LabelledSamples(values, labels, features, classes);
    }

    public static ArchitectureSpec Spec(params int[] widths) => new()
    {
        Name = widths.Length == 2 ? Architectures.Softmax : Architectures.Mlp,
        Inputs = widths[0],
        Hidden = widths[1..^1],
        Outputs = widths[^1],
    };

    /// <summary>A model with random weights, softmax included, whose version 0 would be zero.</summary>
    public static ModelState Model(int[] widths, long seed)
    {
        var random = new DeterministicRandom(seed);
        var model = Architectures.Initialize(Spec(widths), seed);
        foreach (ref var value in model.Parameters)
        {
            value = (float)(0.5 * random.NextGaussian());
        }

        return model;
    }

    private static string DigitsPath()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "FedServerless.sln")))
        {
            folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("Run the tests inside the repository.");
        }

        return Path.Combine(folder, "samples", "digits", "optdigits.csv.gz");
    }
}
