using System.Runtime.CompilerServices;
using FedServerless.Model;

namespace FedServerless.Client.Training;

/// <summary>
/// A convolution's weight as tiles read it: panels of columns, each by kernel row, kernel column and channel summed over; missing
/// columns are zero. Flipped it takes the gradient back: outputs are summed over, inputs are the columns, and the kernel is turned around.
/// </summary>
internal sealed class PackedKernel
{
    private readonly ConvShape _shape;
    private readonly bool _isFlipped;
    private readonly int _panelLength;
    private readonly float[] _panels;

    public PackedKernel(ConvShape shape, bool isFlipped)
    {
        (_shape, _isFlipped) = (shape, isFlipped);
        Columns = isFlipped ? shape.Inputs : shape.Outputs;
        _panelLength = shape.Kernel * shape.Kernel * (isFlipped ? shape.Outputs : shape.Inputs) * TileKernels.Columns;
        _panels = new float[(Columns + TileKernels.Columns - 1) / TileKernels.Columns * _panelLength];
    }

    /// <summary>Channels that come out.</summary>
    public int Columns { get; }

    /// <summary>The panel that begins at a column, a multiple of <see cref="TileKernels.Columns"/>.</summary>
    public ReadOnlySpan<float> Panel(int column) => _panels.AsSpan(column / TileKernels.Columns * _panelLength, _panelLength);

    /// <summary>Takes a weight [outputs, inputs, kernel, kernel].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Pack(ReadOnlySpan<float> weight)
    {
        var taps = _shape.Kernel * _shape.Kernel;
        var channels = _isFlipped ? _shape.Outputs : _shape.Inputs;
        var (columnStep, channelStep) = _isFlipped ? (taps, _shape.Inputs * taps) : (_shape.Inputs * taps, taps);
        for (var column = 0; column < Columns; column += TileKernels.Columns)
        {
            var panel = _panels.AsSpan(column / TileKernels.Columns * _panelLength, _panelLength);
            for (var tap = 0; tap < taps; tap++)
            {
                for (var channel = 0; channel < channels; channel++)
                {
                    var to = panel.Slice(((tap * channels) + channel) * TileKernels.Columns, Math.Min(TileKernels.Columns, Columns - column));
                    var at = (column * columnStep) + (channel * channelStep) + (_isFlipped ? taps - 1 - tap : tap);
                    foreach (ref var value in to)
                    {
                        value = weight[at];
                        at += columnStep;
                    }
                }
            }
        }
    }

    /// <summary>From [kernel, kernel, inputs, outputs] to [outputs, inputs, kernel, kernel].</summary>
    public static void Unpack(ConvShape shape, ReadOnlySpan<float> from, Span<float> to)
    {
        var taps = shape.Kernel * shape.Kernel;
        for (var tap = 0; tap < taps; tap++)
        {
            for (var input = 0; input < shape.Inputs; input++)
            {
                PixelKernels.Spread(
                    from.Slice(((tap * shape.Inputs) + input) * shape.Outputs, shape.Outputs), to[((input * taps) + tap)..], shape.Inputs * taps);
            }
        }
    }
}
