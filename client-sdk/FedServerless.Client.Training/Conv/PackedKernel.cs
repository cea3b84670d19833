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
    public void Pack(ReadOnlySpan<float> weight)
    {
        var taps = _shape.Kernel * _shape.Kernel;
        for (var output = 0; output < _shape.Outputs; output++)
        {
            for (var input = 0; input < _shape.Inputs; input++)
            {
                var square = weight.Slice(((output * _shape.Inputs) + input) * taps, taps);
                var (column, channel, channels) = _isFlipped ? (input, output, _shape.Outputs) : (output, input, _shape.Inputs);
                var panel = _panels.AsSpan(
                    (column / TileKernels.Columns * _panelLength) + (channel * TileKernels.Columns) + (column % TileKernels.Columns));
                for (var tap = 0; tap < taps; tap++)
                {
                    panel[tap * channels * TileKernels.Columns] = square[_isFlipped ? taps - 1 - tap : tap];
                }
            }
        }
    }

    /// <summary>From [kernel, kernel, inputs, outputs] to [outputs, inputs, kernel, kernel].</summary>
    public static void Unpack(ConvShape shape, ReadOnlySpan<float> from, Span<float> to)
    {
        var taps = shape.Kernel * shape.Kernel;
        for (var output = 0; output < shape.Outputs; output++)
        {
            for (var input = 0; input < shape.Inputs; input++)
            {
                var square = to.Slice(((output * shape.Inputs) + input) * taps, taps);
                for (var tap = 0; tap < taps; tap++)
                {
                    square[tap] = from[(((tap * shape.Inputs) + input) * shape.Outputs) + output];
                }
            }
        }
    }
}
