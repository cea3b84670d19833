using FedServerless.Model;

namespace FedServerless.Client.Training;

/// <summary>The built-in architectures bound to local samples.</summary>
public static class BuiltInModel
{
    /// <summary>Reads off a layout which architecture it is, and binds it.</summary>
    /// <param name="layout">That of a built-in architecture; see <see cref="Architectures.Layout"/>.</param>
    /// <param name="samples">1 or more samples with the architecture's inputs and at most its classes.</param>
    /// <returns>A <see cref="ConvClassifier"/> where it begins with a convolution, else a <see cref="DenseClassifier"/>.</returns>
    /// <exception cref="ArgumentException">The layout is none of them, or does not fit the samples.</exception>
    public static IDifferentiableModel Bind(TensorLayout layout, LabelledSamples samples)
    {
        ArgumentNullException.ThrowIfNull(layout);
        return layout.Tensors[0].Name == "conv1.weight" ? new ConvClassifier(layout, samples) : new DenseClassifier(layout, samples);
    }
}
