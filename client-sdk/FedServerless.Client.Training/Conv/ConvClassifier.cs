using FedServerless.Model;

namespace FedServerless.Client.Training;

/// <summary>
/// <see cref="Architectures.Conv"/> bound to local samples: convolutions that keep height and width, ReLU, maxima of 2 × 2, then fully
/// connected layers and mean softmax cross-entropy. One thread; no allocation once constructed, except the evaluation's result.
/// </summary>
/// <remarks>
/// Where several of four pixels are largest, the gradient goes to the first in reading order; ReLU's derivative is 0 at 0. The terms of
/// a convolution's sums are added in one order, one fused multiply-add each where the processor has them.
/// </remarks>
public sealed class ConvClassifier : IDifferentiableModel
{
    private readonly LabelledSamples _samples;
    private readonly Classification _classification;

    /// <summary>Binds a model's layout to samples.</summary>
    /// <param name="layout">That of an <see cref="Architectures.Conv"/>; see <see cref="Architectures.Layout"/>.</param>
    /// <param name="samples">1 or more samples with the architecture's inputs, channel after channel, and at most its classes.</param>
    /// <exception cref="ArgumentException">The layout is not a convolution network's, or does not fit the samples.</exception>
    public ConvClassifier(TensorLayout layout, LabelledSamples samples)
    {
        ArgumentNullException.ThrowIfNull(layout);
        ArgumentNullException.ThrowIfNull(samples);
        if (!Architectures.TryRead(layout, out var spec) || spec.Name != Architectures.Conv)
        {
            throw new ArgumentException(
                $"The model's {layout.Tensors.Count} tensors, of which the first is '{layout.Tensors[0].Name}', are not those of a convolution network; expected 'conv1.weight' [out, in, kernel, kernel], 'conv1.bias' [out], and so on, then 'fc1.weight' [out, channels, height, width], 'fc1.bias' [out], 'fc2.weight' [out, in], ….",
                nameof(layout));
        }

        Classification.ThrowIfNotFitting(samples, spec.Inputs, spec.Outputs);
        Layout = layout;
        _samples = samples;
        _classification = new Classification(layout, samples, new ConvNetwork(spec, layout, samples.Count));
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
}
