using System.Globalization;
using FedServerless.Model;

namespace FedServerless.Client.Training;

/// <summary>
/// <see cref="Architectures.Softmax"/> and <see cref="Architectures.Mlp"/> bound to local samples: fully connected layers, ReLU between
/// them, mean softmax cross-entropy on top. One thread; no allocation once constructed, except the evaluation's result.
/// </summary>
public sealed class DenseClassifier : IDifferentiableModel
{
    /// <summary>Samples that pass through the layers together.</summary>
    private const int RowsPerPass = 64;

    private readonly LabelledSamples _samples;
    private readonly Classification _classification;

    /// <summary>Binds a model's layout to samples.</summary>
    /// <param name="layout">That of a built-in architecture without convolutions; see <see cref="Architectures.Layout"/>.</param>
    /// <param name="samples">1 or more samples with the architecture's inputs and at most its classes.</param>
    /// <exception cref="ArgumentException">The layout is not fully connected layers, or does not fit the samples.</exception>
    public DenseClassifier(TensorLayout layout, LabelledSamples samples)
    {
        ArgumentNullException.ThrowIfNull(layout);
        ArgumentNullException.ThrowIfNull(samples);
        var widths = ReadWidths(layout);
        Classification.ThrowIfNotFitting(samples, widths[0], widths[^1]);
        Layout = layout;
        _samples = samples;
        var network = new DenseNetwork(widths, [.. layout.Offsets.Select(offset => (int)offset)], Math.Min(RowsPerPass, samples.Count));
        _classification = new Classification(layout, samples, network);
    }

    /// <inheritdoc/>
    public TensorLayout Layout { get; }

    /// <inheritdoc/>
    public int SampleCount => _samples.Count;

    /// <inheritdoc/>
    public double LossAndGradient(ModelState model, ReadOnlySpan<int> batch, Span<float> gradient) =>
        _classification.LossAndGradient(model, batch, gradient);

    /// <inheritdoc/>
    public EvaluationResult Evaluate(ModelState model, CancellationToken cancellationToken) => _classification.Evaluate(model, cancellationToken);

    /// <summary>Reads [inputs, hidden…, outputs] off a layout of <c>fc1.weight</c>, <c>fc1.bias</c>, <c>fc2.weight</c>, ….</summary>
    private static int[] ReadWidths(TensorLayout layout)
    {
        var widths = new List<int>();
        for (var t = 0; t < layout.Tensors.Count; t += 2)
        {
            var layer = ((t / 2) + 1).ToString(CultureInfo.InvariantCulture);
            var weight = layout.Tensors[t];
            var bias = t + 1 < layout.Tensors.Count ? layout.Tensors[t + 1] : null;
            var isLayer = weight.Name == $"fc{layer}.weight" && weight.Shape.Count == 2 && weight.Role == TensorRole.Parameter
                && (widths.Count == 0 || weight.Shape[1] == widths[^1])
                && bias?.Name == $"fc{layer}.bias" && bias.Shape is [var width] && width == weight.Shape[0]
                && bias.Role == TensorRole.Parameter;
            if (!isLayer)
            {
                throw new ArgumentException(
                    $"Tensor '{weight.Name}' does not begin fully connected layer {layer}; expected 'fc{layer}.weight' [out, in], then 'fc{layer}.bias' [out], where 'in' is the width of the layer before.",
                    nameof(layout));
            }

            if (widths.Count == 0)
            {
                widths.Add(weight.Shape[1]);
            }

            widths.Add(weight.Shape[0]);
        }

        return [.. widths];
    }
}
