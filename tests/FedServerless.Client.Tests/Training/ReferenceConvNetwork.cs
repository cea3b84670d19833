using FedServerless.Model;
using FedServerless.Wire;

namespace FedServerless.Client.Tests.Training;

/// <summary>The plainest possible convolution network, in double, as an oracle: loops over pixels and taps, no vectors, no tiles.</summary>
internal static class ReferenceConvNetwork
{
    public static double MeanLoss(ArchitectureSpec spec, double[] parameters, IEnumerable<(double[] Features, int Label)> batch) =>
        batch.Average(sample =>
        {
            var scores = Scores(spec, parameters, sample.Features);
            return Math.Log(scores.Sum(Math.Exp)) - scores[sample.Label];
        });

    /// <summary>Central differences of the mean loss.</summary>
    public static double[] Gradient(ArchitectureSpec spec, double[] parameters, IReadOnlyList<(double[] Features, int Label)> batch)
    {
        const double Step = 1e-6;
        var gradient = new double[parameters.Length];
        for (var p = 0; p < parameters.Length; p++)
        {
            var kept = parameters[p];
            parameters[p] = kept + Step;
            var above = MeanLoss(spec, parameters, batch);
            parameters[p] = kept - Step;
            var below = MeanLoss(spec, parameters, batch);
            parameters[p] = kept;
            gradient[p] = (above - below) / (2 * Step);
        }

        return gradient;
    }

    private static double[] Scores(ArchitectureSpec spec, double[] parameters, double[] features)
    {
        var (values, offset) = (features, 0);
        foreach (var shape in Architectures.ConvShapes(spec))
        {
            values = Convolve(shape, parameters.AsSpan(offset, (int)shape.Parameters), values);
            offset += (int)shape.Parameters;
        }

        return ReferenceNetwork.Scores([.. Architectures.LayerWidths(spec)], parameters[offset..], values);
    }

    private static double[] Convolve(ConvShape shape, ReadOnlySpan<double> parameters, double[] image)
    {
        var pooled = new double[shape.Pooled];
        for (var output = 0; output < shape.Outputs; output++)
        {
            for (var y = 0; y < shape.Height; y++)
            {
                for (var x = 0; x < shape.Width; x++)
                {
                    var at = (((output * (shape.Height / 2)) + (y / 2)) * (shape.Width / 2)) + (x / 2);
                    pooled[at] = Math.Max(pooled[at], Pixel(shape, parameters, image, output, y, x));
                }
            }
        }

        return pooled;
    }

    private static double Pixel(ConvShape shape, ReadOnlySpan<double> parameters, double[] image, int output, int y, int x)
    {
        var sum = parameters[^(shape.Outputs - output)];
        for (var input = 0; input < shape.Inputs; input++)
        {
            for (var i = 0; i < shape.Kernel; i++)
            {
                for (var j = 0; j < shape.Kernel; j++)
                {
                    var (row, column) = (y + i - (shape.Kernel / 2), x + j - (shape.Kernel / 2));
                    if (row >= 0 && row < shape.Height && column >= 0 && column < shape.Width)
                    {
                        var weight = parameters[(((((output * shape.Inputs) + input) * shape.Kernel) + i) * shape.Kernel) + j];
                        sum += weight * image[(((input * shape.Height) + row) * shape.Width) + column];
                    }
                }
            }
        }

        return sum;
    }
}
