using System.Globalization;
using System.Numerics.Tensors;
using FedServerless.Model;

namespace FedServerless.Client.Training;

/// <summary>
/// The built-in architectures bound to local samples: fully connected layers, ReLU between them, mean softmax cross-entropy on
/// top; softmax regression is the case of one layer. One thread; no allocation once constructed, except the evaluation's result.
/// </summary>
public sealed class DenseClassifier : IDifferentiableModel
{
    /// <summary>Samples that pass through the layers together; a larger batch goes in several passes, so scratch memory stays small.</summary>
    private const int RowsPerPass = 64;

    private readonly LabelledSamples _samples;
    private readonly int[] _widths;
    private readonly int[] _offsets;
    private readonly float[][] _activations;
    private readonly float[][] _deltas;
    private readonly int[] _labels = new int[RowsPerPass];

    /// <summary>Binds a model's layout to samples.</summary>
    /// <param name="layout">That of a built-in architecture; see <see cref="Architectures.Layout"/>.</param>
    /// <param name="samples">1 or more samples with the architecture's inputs and at most its classes.</param>
    /// <exception cref="ArgumentException">The layout is not fully connected layers, or does not fit the samples.</exception>
    public DenseClassifier(TensorLayout layout, LabelledSamples samples)
    {
        ArgumentNullException.ThrowIfNull(layout);
        ArgumentNullException.ThrowIfNull(samples);
        ArgumentOutOfRangeException.ThrowIfLessThan(samples.Count, 1, nameof(samples));
        _widths = ReadWidths(layout);
        if (_widths[0] != samples.FeatureCount || _widths[^1] < samples.ClassCount)
        {
            throw new ArgumentException(
                $"The model takes {_widths[0]} features and knows {_widths[^1]} classes; the samples have {samples.FeatureCount} features and {samples.ClassCount} classes.",
                nameof(samples));
        }

        Layout = layout;
        _samples = samples;
        _offsets = [.. layout.Offsets.Select(offset => (int)offset)];
        var rows = Math.Min(RowsPerPass, samples.Count);
        _activations = [.. _widths.Select(width => new float[rows * width])];
        _deltas = [.. _widths.Select((width, layer) => layer == 0 ? [] : new float[rows * width])];
    }

    /// <inheritdoc/>
    public TensorLayout Layout { get; }

    /// <inheritdoc/>
    public int SampleCount => _samples.Count;

    /// <inheritdoc/>
    public double LossAndGradient(ModelState model, ReadOnlySpan<int> batch, Span<float> gradient)
    {
        ThrowIfOtherLayout(model);
        ArgumentOutOfRangeException.ThrowIfZero(batch.Length, nameof(batch));
        ArgumentOutOfRangeException.ThrowIfNotEqual(gradient.Length, model.Parameters.Length);

        var loss = 0.0;
        var scale = 1f / batch.Length;
        var rowsPerPass = Math.Min(RowsPerPass, SampleCount);
        for (var start = 0; start < batch.Length; start += rowsPerPass)
        {
            var rows = batch.Slice(start, Math.Min(rowsPerPass, batch.Length - start));
            Forward(model.Parameters, rows);
            loss += CrossEntropy(rows.Length, scale);
            Backward(model.Parameters, rows.Length, gradient, accumulate: start > 0);
        }

        return loss / batch.Length;
    }

    /// <inheritdoc/>
    public EvaluationResult Evaluate(ModelState model, CancellationToken cancellationToken)
    {
        ThrowIfOtherLayout(model);
        Span<int> indices = stackalloc int[RowsPerPass];
        var (loss, correct) = (0.0, 0);
        for (var start = 0; start < SampleCount; start += RowsPerPass)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var rows = indices[..Math.Min(RowsPerPass, SampleCount - start)];
            for (var i = 0; i < rows.Length; i++)
            {
                rows[i] = start + i;
            }

            Forward(model.Parameters, rows);
            correct += CountCorrect(rows.Length);
            loss += CrossEntropy(rows.Length, scale: 1);
        }

        return new EvaluationResult(SampleCount, loss / SampleCount, (double)correct / SampleCount);
    }

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

    private void ThrowIfOtherLayout(ModelState model)
    {
        ArgumentNullException.ThrowIfNull(model);
        if (!ReferenceEquals(model.Layout, Layout) && model.Layout.Digest != Layout.Digest)
        {
            throw new ArgumentException($"The model's layout is {model.Layout.Digest}; expected {Layout.Digest}.", nameof(model));
        }
    }

    private void Forward(ReadOnlySpan<float> parameters, ReadOnlySpan<int> batch)
    {
        for (var i = 0; i < batch.Length; i++)
        {
            _samples.Features(batch[i]).CopyTo(_activations[0].AsSpan(i * _widths[0]));
            _labels[i] = _samples.Label(batch[i]);
        }

        for (var layer = 1; layer < _widths.Length; layer++)
        {
            var (inputs, outputs) = (_widths[layer - 1], _widths[layer]);
            var output = _activations[layer].AsSpan(0, batch.Length * outputs);
            DenseKernels.MultiplyTransposed(
                _activations[layer - 1].AsSpan(0, batch.Length * inputs), Weight(parameters, layer), output, batch.Length, inputs, outputs);
            AddBias(Bias(parameters, layer), output);
            if (layer < _widths.Length - 1)
            {
                TensorPrimitives.Max(output, 0f, output);
            }
        }
    }

    private static void AddBias(ReadOnlySpan<float> bias, Span<float> output)
    {
        for (var start = 0; start < output.Length; start += bias.Length)
        {
            var row = output.Slice(start, bias.Length);
            TensorPrimitives.Add(row, bias, row);
        }
    }

    /// <summary>
    /// Sums <c>ln Σⱼ exp zⱼ − z_label</c> over the rows, each shifted by its largest score so that nothing overflows, and leaves
    /// <c>scale·(softmax z − onehot label)</c> in the last layer's delta.
    /// </summary>
    private double CrossEntropy(int rows, float scale)
    {
        var classes = _widths[^1];
        var total = 0.0;
        for (var i = 0; i < rows; i++)
        {
            var scores = _activations[^1].AsSpan(i * classes, classes);
            var delta = _deltas[^1].AsSpan(i * classes, classes);
            TensorPrimitives.Subtract(scores, TensorPrimitives.Max<float>(scores), delta);
            var target = delta[_labels[i]];
            TensorPrimitives.Exp<float>(delta, delta);
            var sum = TensorPrimitives.Sum<float>(delta);
            total += Math.Log(sum) - target;
            TensorPrimitives.Multiply(delta, scale / sum, delta);
            delta[_labels[i]] -= scale;
        }

        return total;
    }

    private void Backward(ReadOnlySpan<float> parameters, int rows, Span<float> gradient, bool accumulate)
    {
        for (var layer = _widths.Length - 1; layer >= 1; layer--)
        {
            var (inputs, outputs) = (_widths[layer - 1], _widths[layer]);
            var delta = _deltas[layer].AsSpan(0, rows * outputs);
            var below = _activations[layer - 1].AsSpan(0, rows * inputs);
            DenseKernels.SumScaledRows(delta, 1, outputs, below, Weight(gradient, layer), outputs, rows, inputs, accumulate);
            SumRows(delta, Bias(gradient, layer), accumulate);
            if (layer > 1)
            {
                var deltaBelow = _deltas[layer - 1].AsSpan(0, rows * inputs);
                DenseKernels.SumScaledRows(
                    delta, outputs, 1, Weight(parameters, layer), deltaBelow, rows, outputs, inputs, accumulate: false);
                DenseKernels.MaskInactive(below, deltaBelow);
            }
        }
    }

    private static void SumRows(ReadOnlySpan<float> rows, Span<float> sum, bool accumulate)
    {
        if (!accumulate)
        {
            sum.Clear();
        }

        for (var start = 0; start < rows.Length; start += sum.Length)
        {
            TensorPrimitives.Add(sum, rows.Slice(start, sum.Length), sum);
        }
    }

    private int CountCorrect(int rows)
    {
        var classes = _widths[^1];
        var correct = 0;
        for (var i = 0; i < rows; i++)
        {
            correct += TensorPrimitives.IndexOfMax<float>(_activations[^1].AsSpan(i * classes, classes)) == _labels[i] ? 1 : 0;
        }

        return correct;
    }

    private ReadOnlySpan<float> Weight(ReadOnlySpan<float> parameters, int layer) =>
        parameters.Slice(_offsets[2 * (layer - 1)], _widths[layer] * _widths[layer - 1]);

    private Span<float> Weight(Span<float> gradient, int layer) =>
        gradient.Slice(_offsets[2 * (layer - 1)], _widths[layer] * _widths[layer - 1]);

    private ReadOnlySpan<float> Bias(ReadOnlySpan<float> parameters, int layer) =>
        parameters.Slice(_offsets[(2 * (layer - 1)) + 1], _widths[layer]);

    private Span<float> Bias(Span<float> gradient, int layer) => gradient.Slice(_offsets[(2 * (layer - 1)) + 1], _widths[layer]);
}
