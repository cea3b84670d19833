using FedServerless.Model;
using FedServerless.Wire;

namespace FedServerless.Client.Training;

/// <summary>Convolution blocks below fully connected layers.</summary>
internal sealed class ConvNetwork : INetwork
{
    /// <summary>Most samples that pass through the layers together.</summary>
    private const int MaxRowsPerPass = 64;

    /// <summary>Most values that a pass keeps for its way back, as long as it has a sample: 8 MiB.</summary>
    private const long ValuesPerPass = 2 << 20;

    private readonly ConvShape[] _shapes;
    private readonly ConvBlock[] _blocks;
    private readonly float[] _pixel;

    /// <param name="spec">Legal, with convolutions.</param>
    /// <param name="layout">The spec's.</param>
    /// <param name="samples">Samples there are: no more pass together.</param>
    public ConvNetwork(ArchitectureSpec spec, TensorLayout layout, int samples)
    {
        _shapes = [.. Architectures.ConvShapes(spec)];
        RowsPerPass = (int)Math.Clamp(ValuesPerPass / _shapes.Sum(shape => shape.Values), 1, Math.Min(MaxRowsPerPass, samples));
        int[] offsets = [.. layout.Offsets.Select(offset => (int)offset)];
        _blocks = [.. _shapes.Select((shape, i) => new ConvBlock(shape, offsets[2 * i], offsets[(2 * i) + 1], RowsPerPass, isFirst: i == 0))];
        _pixel = new float[_shapes[^1].Outputs];
        Top = new DenseLayers([.. Architectures.LayerWidths(spec)], offsets[(2 * _blocks.Length)..], RowsPerPass, wantsInputDelta: true);
    }

    public int RowsPerPass { get; }

    public DenseLayers Top { get; }

    public void Prepare(ReadOnlySpan<float> parameters, bool forTraining)
    {
        foreach (var block in _blocks)
        {
            block.Prepare(parameters, forTraining);
        }
    }

    public void Forward(ReadOnlySpan<float> parameters, LabelledSamples samples, ReadOnlySpan<int> batch)
    {
        for (var i = 0; i < batch.Length; i++)
        {
            Fill(samples.Features(batch[i]), i);
            for (var block = 0; block < _blocks.Length; block++)
            {
                _blocks[block].Forward(i);
                Pool(block, i);
            }
        }

        Top.Forward(parameters, batch.Length);
    }

    public void Backward(ReadOnlySpan<float> parameters, int rows, Span<float> gradient, bool isFirst)
    {
        Top.Backward(parameters, rows, gradient, accumulate: !isFirst);
        for (var i = 0; i < rows; i++)
        {
            for (var block = _blocks.Length - 1; block >= 0; block--)
            {
                Unpool(block, i);
                _blocks[block].Backward(i);
            }
        }

        foreach (var block in _blocks)
        {
            block.WriteGradient(gradient);
        }
    }

    /// <summary>A sample's features, channel after channel, as pixels.</summary>
    private void Fill(ReadOnlySpan<float> features, int sample)
    {
        var (height, width, channels) = (_shapes[0].Height, _shapes[0].Width, _shapes[0].Inputs);
        for (var row = 0; row < height; row++)
        {
            for (var column = 0; column < width; column++)
            {
                Gather(features, (row * width) + column, height * width, _blocks[0].Input(sample, row, column)[..channels]);
            }
        }
    }

    private void Pool(int block, int sample)
    {
        var (height, width) = (_shapes[block].Height / 2, _shapes[block].Width / 2);
        var isLast = block == _blocks.Length - 1;
        for (var row = 0; row < height; row++)
        {
            for (var column = 0; column < width; column++)
            {
                if (!isLast)
                {
                    _blocks[block].Pool(sample, row, column, _blocks[block + 1].Input(sample, row, column));
                    continue;
                }

                _blocks[block].Pool(sample, row, column, _pixel);
                Scatter(_pixel, Top.Input(sample), (row * width) + column, height * width);
            }
        }
    }

    private void Unpool(int block, int sample)
    {
        var (height, width) = (_shapes[block].Height / 2, _shapes[block].Width / 2);
        var isLast = block == _blocks.Length - 1;
        for (var row = 0; row < height; row++)
        {
            for (var column = 0; column < width; column++)
            {
                if (!isLast)
                {
                    _blocks[block].Unpool(sample, row, column, _blocks[block + 1].InputDelta(row, column));
                    continue;
                }

                Gather(Top.InputDelta(sample), (row * width) + column, height * width, _pixel);
                _blocks[block].Unpool(sample, row, column, _pixel);
            }
        }
    }

    private static void Gather(ReadOnlySpan<float> planes, int at, int stride, Span<float> pixel)
    {
        for (var channel = 0; channel < pixel.Length; channel++)
        {
            pixel[channel] = planes[at + (channel * stride)];
        }
    }

    private static void Scatter(ReadOnlySpan<float> pixel, Span<float> planes, int at, int stride)
    {
        for (var channel = 0; channel < pixel.Length; channel++)
        {
            planes[at + (channel * stride)] = pixel[channel];
        }
    }
}
