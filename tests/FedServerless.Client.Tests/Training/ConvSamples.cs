using FedServerless.Client.Training;
using FedServerless.Model;
using FedServerless.Numerics;
using FedServerless.Wire;

namespace FedServerless.Client.Tests.Training;

/// <summary>Convolution networks for the tests of training.</summary>
internal static class ConvSamples
{
    /// <summary>Digits of 8 × 8 pixels, two convolutions, 10 classes: small enough for a test of training.</summary>
    public static readonly ArchitectureSpec DigitsNet = Spec([8, 8, 1], [[8, 3], [16, 3]], [10]);

    /// <param name="image">[height, width, channels].</param>
    /// <param name="convolutions">[channels, kernel] of each.</param>
    /// <param name="widths">[hidden…, outputs].</param>
    public static ArchitectureSpec Spec(int[] image, int[][] convolutions, int[] widths) => new()
    {
        Name = Architectures.Conv,
        Inputs = image[0] * image[1] * image[2],
        Image = new ImageSpec { Height = image[0], Width = image[1], Channels = image[2] },
        Convolutions = [.. convolutions.Select(numbers => new ConvolutionSpec { Channels = numbers[0], Kernel = numbers[1] })],
        Hidden = widths[..^1],
        Outputs = widths[^1],
    };

    /// <summary>A model with random weights, larger than version 0's, so that every unit has something to do.</summary>
    public static ModelState Model(ArchitectureSpec spec, long seed)
    {
        var random = new DeterministicRandom(seed);
        var model = Architectures.Initialize(spec, seed);
        foreach (ref var value in model.Parameters)
        {
            value = (float)(0.4 * random.NextGaussian());
        }

        return model;
    }

    public static LabelledSamples Samples(ArchitectureSpec spec, int count, long seed) => TrainingSamples.Random(count, spec.Inputs, spec.Outputs, seed);
}
