using System.Numerics.Tensors;

namespace FedServerless.Client.Training;

/// <summary>
/// Fully connected layers with ReLU between them and softmax cross-entropy on top, for some rows at a time: what every built-in model ends in.
/// </summary>
internal sealed class DenseLayers
{
    private readonly int[] _widths;
    private readonly int[] _offsets;
    private readonly float[][] _activations;
    private readonly float[][] _deltas;

    /// <param name="widths">[inputs, hidden…, outputs].</param>
    /// <param name="offsets">Where each layer's weight and bias lie among the parameters, in turn.</param>
    /// <param name="rows">Most rows at a time.</param>
    /// <param name="wantsInputDelta">The gradient with respect to the inputs is wanted too.</param>
    public DenseLayers(int[] widths, int[] offsets, int rows, bool wantsInputDelta)
    {
        (_widths, _offsets) = (widths, offsets);
        _activations = [.. widths.Select(width => new float[rows * width])];
        _deltas = [.. widths.Select((width, layer) => layer == 0 && !wantsInputDelta ? [] : new float[rows * width])];
    }

    /// <summary>The features of a row, to be filled in before <see cref="Forward"/>.</summary>
    public Span<float> Input(int row) => _activations[0].AsSpan(row * _widths[0], _widths[0]);

    /// <summary>The gradient with respect to <see cref="Input"/>, after <see cref="Backward"/>.</summary>
    public ReadOnlySpan<float> InputDelta(int row) => _deltas[0].AsSpan(row * _widths[0], _widths[0]);

    /// <summary>The scores of the rows that were filled in.</summary>
    public void Forward(ReadOnlySpan<float> parameters, int rows)
    {
        for (var layer = 1; layer < _widths.Length; layer++)
        {
            var (inputs, outputs) = (_widths[layer - 1], _widths[layer]);
            var output = _activations[layer].AsSpan(0, rows * outputs);
            DenseKernels.MultiplyTransposed(
                _activations[layer - 1].AsSpan(0, rows * inputs), Weight(parameters, layer), output, rows, inputs, outputs);
            AddBias(Bias(parameters, layer), output);
            if (layer < _widths.Length - 1)
            {
                TensorPrimitives.Max(output, 0f, output);
            }
        }
    }

    /// <summary>
    /// Sums <c>ln Σⱼ exp zⱼ − z_label</c> over the rows, each shifted by its largest score so that nothing overflows, and leaves
    /// <c>scale·(softmax z − onehot label)</c> for <see cref="Backward"/>.
    /// </summary>
    public double CrossEntropy(ReadOnlySpan<int> labels, float scale)
    {
        var classes = _widths[^1];
        var total = 0.0;
        for (var i = 0; i < labels.Length; i++)
        {
            var scores = _activations[^1].AsSpan(i * classes, classes);
            var delta = _deltas[^1].AsSpan(i * classes, classes);
            TensorPrimitives.Subtract(scores, TensorPrimitives.Max<float>(scores), delta);
            var target = delta[labels[i]];
            TensorPrimitives.Exp<float>(delta, delta);
            var sum = TensorPrimitives.Sum<float>(delta);
            total += Math.Log(sum) - target;
            TensorPrimitives.Multiply(delta, scale / sum, delta);
            delta[labels[i]] -= scale;
        }

        return total;
    }

    /// <summary>Rows whose largest score is their label's.</summary>
    public int CountCorrect(ReadOnlySpan<int> labels)
    {
        var classes = _widths[^1];
        var correct = 0;
        for (var i = 0; i < labels.Length; i++)
        {
            correct += TensorPrimitives.IndexOfMax<float>(_activations[^1].AsSpan(i * classes, classes)) == labels[i] ? 1 : 0;
        }

        return correct;
    }

    /// <summary>The gradient of what <see cref="CrossEntropy"/> summed with respect to the parameters, and the inputs where wanted.</summary>
    public void Backward(ReadOnlySpan<float> parameters, int rows, Span<float> gradient, bool accumulate)
    {
        for (var layer = _widths.Length - 1; layer >= 1; layer--)
        {
            var (inputs, outputs) = (_widths[layer - 1], _widths[layer]);
            var delta = _deltas[layer].AsSpan(0, rows * outputs);
            var below = _activations[layer - 1].AsSpan(0, rows * inputs);
            DenseKernels.SumScaledRows(delta, 1, outputs, below, Weight(gradient, layer), outputs, rows, inputs, accumulate);
            SumRows(delta, Bias(gradient, layer), accumulate);
            if (_deltas[layer - 1].Length == 0)
            {
                return;
            }

            var deltaBelow = _deltas[layer - 1].AsSpan(0, rows * inputs);
            DenseKernels.SumScaledRows(delta, outputs, 1, Weight(parameters, layer), deltaBelow, rows, outputs, inputs, accumulate: false);
            if (layer > 1)
            {
                DenseKernels.MaskInactive(below, deltaBelow);
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

    private ReadOnlySpan<float> Weight(ReadOnlySpan<float> parameters, int layer) =>
        parameters.Slice(_offsets[2 * (layer - 1)], _widths[layer] * _widths[layer - 1]);

    private Span<float> Weight(Span<float> gradient, int layer) =>
        gradient.Slice(_offsets[2 * (layer - 1)], _widths[layer] * _widths[layer - 1]);

    private ReadOnlySpan<float> Bias(ReadOnlySpan<float> parameters, int layer) =>
        parameters.Slice(_offsets[(2 * (layer - 1)) + 1], _widths[layer]);

    private Span<float> Bias(Span<float> gradient, int layer) => gradient.Slice(_offsets[(2 * (layer - 1)) + 1], _widths[layer]);
}
