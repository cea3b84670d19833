using FedServerless.Model;
using FedServerless.Wire;

namespace FedServerless.Client.Training;

/// <summary>Convolution layers below fully connected layers.</summary>
internal sealed class ConvNetwork : INetwork
{
    /// <summary>Most samples that pass through the layers together.</summary>
    private const int MaxRowsPerPass = 64;

    /// <summary>Most values that a pass keeps for its way back, as long as it has a sample: 8 MiB.</summary>
    private const long ValuesPerPass = 2 << 20;

    private readonly ConvShape[] _shapes;
    private readonly ConvLayer[] _layers;
    private readonly float[] _image;

    /// <param name="spec">Legal, with convolutions.</param>
    /// <param name="layout">The spec's.</param>
    /// <param name="samples">Samples there are: no more pass together.</param>
    public ConvNetwork(ArchitectureSpec spec, TensorLayout layout, int samples)
    {
        _shapes = [.. Architectures.ConvShapes(spec)];
        RowsPerPass = (int)Math.Clamp(ValuesPerPass / _shapes.Sum(shape => shape.Values), 1, Math.Min(MaxRowsPerPass, samples));
        int[] offsets = [.. layout.Offsets.Select(offset => (int)offset)];
        _layers = [.. _shapes.Select((shape, i) => new ConvLayer(shape, offsets[2 * i], offsets[(2 * i) + 1], RowsPerPass, isFirst: i == 0))];
        _image = new float[_shapes[^1].Pooled];
        Top = new DenseLayers([.. Architectures.LayerWidths(spec)], offsets[(2 * _layers.Length)..], RowsPerPass, wantsInputDelta: true);
    }

    public int RowsPerPass { get; }

    public DenseLayers Top { get; }

    public void Prepare(ReadOnlySpan<float> parameters, bool forTraining)
    {
        foreach (var layer in _layers)
        {
            layer.Prepare(parameters, forTraining);
        }
    }

    public void Forward(ReadOnlySpan<float> parameters, LabelledSamples samples, ReadOnlySpan<int> batch)
    {
        var last = _shapes[^1];
        for (var i = 0; i < batch.Length; i++)
        {
            Fill(samples.Features(batch[i]), i);
            for (var layer = 0; layer < _layers.Length - 1; layer++)
            {
                _layers[layer].Forward(i);
                _layers[layer].Pool(i, _layers[layer + 1].Input(i), _layers[layer + 1].InputStride);
            }

            _layers[^1].Forward(i);
            _layers[^1].Pool(i, _image, last.Width / 2 * last.Outputs);
            PixelKernels.Transpose(_image, Top.Input(i), last.Pooled / last.Outputs, last.Outputs);
        }

        Top.Forward(parameters, batch.Length);
    }

    public void Backward(ReadOnlySpan<float> parameters, int rows, Span<float> gradient, bool isFirst)
    {
        Top.Backward(parameters, rows, gradient, accumulate: !isFirst);
        var last = _shapes[^1];
        for (var i = 0; i < rows; i++)
        {
            PixelKernels.Transpose(Top.InputDelta(i), _image, last.Outputs, last.Pooled / last.Outputs);
            _layers[^1].Unpool(i, _image);
            _layers[^1].Backward(i);
            for (var layer = _layers.Length - 2; layer >= 0; layer--)
            {
                _layers[layer].Unpool(i, _layers[layer + 1].InputDelta);
                _layers[layer].Backward(i);
            }
        }

        foreach (var layer in _layers)
        {
            layer.WriteGradient(gradient);
        }
    }

    /// <summary>A sample's features, channel after channel, as pixels.</summary>
    private void Fill(ReadOnlySpan<float> features, int sample)
    {
        var first = _shapes[0];
        var pixels = _layers[0].Input(sample);
        for (var row = 0; row < first.Height; row++)
        {
            var to = pixels[(row * _layers[0].InputStride)..];
            for (var channel = 0; channel < first.Inputs; channel++)
            {
                PixelKernels.Spread(features.Slice(((channel * first.Height) + row) * first.Width, first.Width), to[channel..], first.Inputs);
            }
        }
    }
}
