using FedServerless.Model;

namespace FedServerless.Client.Training;

/// <summary>A built-in network bound to local samples: batches in passes, and the loss.</summary>
internal sealed class Classification
{
    private readonly TensorLayout _layout;
    private readonly LabelledSamples _samples;
    private readonly INetwork _network;
    private readonly int[] _labels;

    public Classification(TensorLayout layout, LabelledSamples samples, INetwork network)
    {
        (_layout, _samples, _network) = (layout, samples, network);
        _labels = new int[network.RowsPerPass];
    }

    public static void ThrowIfNotFitting(LabelledSamples samples, int features, int classes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(samples.Count, 1, nameof(samples));
        if (features != samples.FeatureCount || classes < samples.ClassCount)
        {
            throw new ArgumentException(
                $"The model takes {features} features and knows {classes} classes; the samples have {samples.FeatureCount} features and {samples.ClassCount} classes.",
                nameof(samples));
        }
    }

    public double LossAndGradient(ModelState model, ReadOnlySpan<int> batch, Span<float> gradient)
    {
        ThrowIfOtherLayout(model);
        ArgumentOutOfRangeException.ThrowIfZero(batch.Length, nameof(batch));
        ArgumentOutOfRangeException.ThrowIfNotEqual(gradient.Length, model.Parameters.Length);

        var loss = 0.0;
        var scale = 1f / batch.Length;
        _network.Prepare(model.Parameters, forTraining: true);
        for (var start = 0; start < batch.Length; start += _network.RowsPerPass)
        {
            var rows = batch.Slice(start, Math.Min(_network.RowsPerPass, batch.Length - start));
            _network.Forward(model.Parameters, _samples, rows);
            loss += _network.Top.CrossEntropy(Labels(rows), scale);
            _network.Backward(model.Parameters, rows.Length, gradient, isFirst: start == 0);
        }

        return loss / batch.Length;
    }

    public EvaluationResult Evaluate(ModelState model, CancellationToken cancellationToken)
    {
        ThrowIfOtherLayout(model);
        Span<int> indices = stackalloc int[_network.RowsPerPass];
        var (loss, correct) = (0.0, 0);
        _network.Prepare(model.Parameters, forTraining: false);
        for (var start = 0; start < _samples.Count; start += _network.RowsPerPass)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var rows = indices[..Math.Min(_network.RowsPerPass, _samples.Count - start)];
            for (var i = 0; i < rows.Length; i++)
            {
                rows[i] = start + i;
            }

            _network.Forward(model.Parameters, _samples, rows);
            var labels = Labels(rows);
            correct += _network.Top.CountCorrect(labels);
            loss += _network.Top.CrossEntropy(labels, scale: 1);
        }

        return new EvaluationResult(_samples.Count, loss / _samples.Count, (double)correct / _samples.Count);
    }

    private ReadOnlySpan<int> Labels(ReadOnlySpan<int> batch)
    {
        for (var i = 0; i < batch.Length; i++)
        {
            _labels[i] = _samples.Label(batch[i]);
        }

        return _labels.AsSpan(0, batch.Length);
    }

    private void ThrowIfOtherLayout(ModelState model)
    {
        ArgumentNullException.ThrowIfNull(model);
        if (!ReferenceEquals(model.Layout, _layout) && model.Layout.Digest != _layout.Digest)
        {
            throw new ArgumentException($"The model's layout is {model.Layout.Digest}; expected {_layout.Digest}.", nameof(model));
        }
    }
}
