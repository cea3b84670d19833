using FedServerless.Wire;

namespace FedServerless.Model;

/// <summary>The numbers of one convolution, and of the pooling after it, of a <see cref="Architectures.Conv"/>.</summary>
/// <param name="Height">Rows that come in, and of the convolution; half of them go out.</param>
/// <param name="Width">Columns that come in, and of the convolution; half of them go out.</param>
/// <param name="Inputs">Channels that come in.</param>
/// <param name="Outputs">Channels that go out.</param>
/// <param name="Kernel">Height and width of the convolution, odd.</param>
public readonly record struct ConvShape(int Height, int Width, int Inputs, int Outputs, int Kernel)
{
    /// <summary>Values of a sample that come in and that the convolution makes.</summary>
    public long Values => (long)Height * Width * ((long)Inputs + Outputs);

    /// <summary>Values of a sample that go out.</summary>
    public int Pooled => Height / 2 * (Width / 2) * Outputs;

    /// <summary>Parameters: the weight [outputs, inputs, kernel, kernel] and the bias [outputs].</summary>
    public long Parameters => (((long)Inputs * Kernel * Kernel) + 1) * Outputs;

    /// <summary>The convolutions of a spec whose numbers are in range; none where it has no image.</summary>
    internal static IReadOnlyList<ConvShape> Of(ArchitectureSpec spec)
    {
        if (spec.Image is not { } image)
        {
            return [];
        }

        var shapes = new List<ConvShape>();
        var (height, width, channels) = (image.Height, image.Width, image.Channels);
        foreach (var convolution in spec.Convolutions)
        {
            shapes.Add(new ConvShape(height, width, channels, convolution.Channels, convolution.Kernel));
            (height, width, channels) = (height / 2, width / 2, convolution.Channels);
        }

        return shapes;
    }
}
