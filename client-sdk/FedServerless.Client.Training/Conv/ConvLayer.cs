using System.Runtime.CompilerServices;
using FedServerless.Model;

namespace FedServerless.Client.Training;

/// <summary>
/// One layer of a convolution network: convolution, ReLU, maximum of 2 × 2; forwards and backwards a sample at a time. Images lie row
/// by row, a pixel's channels next to each other, what comes in with a border of zeros: so the terms of a sum that share a row of the
/// kernel are next to each other too.
/// </summary>
internal sealed class ConvLayer
{
    // Terms of a sum whose panel of weights is read again and again: 16 KiB where a vector has eight values.
    private const int TermsInCache = 256;

    private readonly ConvShape _shape;
    private readonly int _border;
    private readonly int _paddedWidth;
    private readonly int _weightOffset;
    private readonly int _biasOffset;
    private readonly float[] _inputs;
    private readonly float[] _outputs;
    private readonly float[] _bias;
    private readonly PackedKernel _forward;
    private readonly PackedKernel? _backward;
    private readonly float[] _delta;
    private readonly float[] _inputDelta;
    private readonly float[] _weightGradient;
    private readonly float[] _biasGradient;
    private readonly int[] _pixels;
    private readonly int[] _deltaPixels;
    private readonly int[] _taps;

    /// <param name="shape">The layer's numbers.</param>
    /// <param name="weightOffset">Where its weight lies among the parameters.</param>
    /// <param name="biasOffset">Where its bias lies among the parameters.</param>
    /// <param name="samples">Most samples that pass together.</param>
    /// <param name="isFirst">Nothing below wants a gradient.</param>
    public ConvLayer(ConvShape shape, int weightOffset, int biasOffset, int samples, bool isFirst)
    {
        (_shape, _weightOffset, _biasOffset) = (shape, weightOffset, biasOffset);
        _border = shape.Kernel / 2;
        _paddedWidth = shape.Width + (2 * _border);
        var paddedPixels = (shape.Height + (2 * _border)) * _paddedWidth;

        // What is read beyond a panel's last column lies behind the last pixel at the worst.
        var beyond = TileKernels.Columns;
        _inputs = new float[(samples * paddedPixels * shape.Inputs) + beyond];
        _outputs = new float[samples * OutputLength];
        _bias = new float[shape.Outputs];
        _delta = new float[(paddedPixels * shape.Outputs) + beyond];
        _inputDelta = isFirst ? [] : new float[shape.Height * shape.Width * shape.Inputs];
        _weightGradient = new float[shape.Kernel * shape.Kernel * shape.Inputs * shape.Outputs];
        _biasGradient = new float[shape.Outputs];
        _forward = new PackedKernel(shape, isFlipped: false);
        _backward = isFirst ? null : new PackedKernel(shape, isFlipped: true);
        _pixels = PixelOffsets(shape.Inputs);
        _deltaPixels = PixelOffsets(shape.Outputs);
        _taps = TapOffsets();
    }

    /// <summary>Distance between rows of <see cref="Input"/>.</summary>
    public int InputStride => _paddedWidth * _shape.Inputs;

    private int InputLength => (_shape.Height + (2 * _border)) * _paddedWidth * _shape.Inputs;

    private int OutputLength => _shape.Height * _shape.Width * _shape.Outputs;

    /// <summary>Takes the parameters of a step; they stay until the next ones.</summary>
    /// <param name="parameters">The model's.</param>
    /// <param name="forTraining">A gradient will be wanted.</param>
    public void Prepare(ReadOnlySpan<float> parameters, bool forTraining)
    {
        var weight = parameters.Slice(_weightOffset, _weightGradient.Length);
        parameters.Slice(_biasOffset, _bias.Length).CopyTo(_bias);
        _forward.Pack(weight);
        if (forTraining)
        {
            _backward?.Pack(weight);
            _weightGradient.AsSpan().Clear();
            _biasGradient.AsSpan().Clear();
        }
    }

    /// <summary>What comes in, pixel by pixel, to be filled in: the first one at 0, rows <see cref="InputStride"/> apart.</summary>
    public Span<float> Input(int sample) =>
        _inputs.AsSpan(sample * InputLength, InputLength)[(((_border * _paddedWidth) + _border) * _shape.Inputs)..];

    /// <summary>Convolves what <see cref="Input"/> was filled with.</summary>
    public void Forward(int sample) =>
        Convolve(_inputs.AsSpan(sample * InputLength), _shape.Inputs, _pixels, _forward, _outputs.AsSpan(sample * OutputLength, OutputLength));

    /// <summary>What goes out, of a sample that was convolved.</summary>
    /// <param name="sample">One that was convolved.</param>
    /// <param name="pooled">Gets it pixel by pixel.</param>
    /// <param name="stride">Distance between rows of <paramref name="pooled"/>.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Pool(int sample, Span<float> pooled, int stride)
    {
        for (var row = 0; row < _shape.Height / 2; row++)
        {
            for (var column = 0; column < _shape.Width / 2; column++)
            {
                PoolKernels.Forward(
                    Pair(sample, 2 * row, column), Pair(sample, (2 * row) + 1, column), _bias,
                    pooled.Slice((row * stride) + (column * _shape.Outputs), _shape.Outputs));
            }
        }
    }

    /// <summary>Takes the gradient with respect to what <see cref="Pool"/> gave, pixel by pixel without gaps; then <see cref="Backward"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Unpool(int sample, ReadOnlySpan<float> delta)
    {
        var pair = 2 * _shape.Outputs;
        for (var row = 0; row < _shape.Height / 2; row++)
        {
            for (var column = 0; column < _shape.Width / 2; column++)
            {
                var top = ((((2 * row) + _border) * _paddedWidth) + (2 * column) + _border) * _shape.Outputs;
                PoolKernels.Backward(
                    Pair(sample, 2 * row, column), Pair(sample, (2 * row) + 1, column), _bias,
                    delta.Slice(((row * (_shape.Width / 2)) + column) * _shape.Outputs, _shape.Outputs),
                    _delta.AsSpan(top, pair), _delta.AsSpan(top + (_paddedWidth * _shape.Outputs), pair), _biasGradient);
            }
        }
    }

    /// <summary>Adds a sample's gradient with respect to the weight, and leaves that with respect to what came in.</summary>
    public void Backward(int sample)
    {
        var (inputs, outputs) = (_shape.Inputs, _shape.Outputs);
        var input = _inputs.AsSpan(sample * InputLength);
        for (var column = 0; column < outputs; column += TileKernels.Columns)
        {
            TileKernels.Multiply(
                input, _paddedWidth * inputs, inputs, _taps,
                _delta.AsSpan((((_border * _paddedWidth) + _border) * outputs) + column), _paddedWidth * outputs, outputs,
                _shape.Height, _shape.Width,
                _weightGradient.AsSpan(column), outputs, Math.Min(TileKernels.Columns, outputs - column), accumulate: true);
        }

        if (_backward is not null)
        {
            Convolve(_delta, outputs, _deltaPixels, _backward, _inputDelta);
        }
    }

    /// <summary>The gradient with respect to what came in, pixel by pixel without gaps, of the sample that was last.</summary>
    public ReadOnlySpan<float> InputDelta => _inputDelta;

    /// <summary>Writes the gradients that samples have added since <see cref="Prepare"/>.</summary>
    public void WriteGradient(Span<float> gradient)
    {
        _biasGradient.CopyTo(gradient[_biasOffset..]);
        PackedKernel.Unpack(_shape, _weightGradient, gradient.Slice(_weightOffset, _weightGradient.Length));
    }

    /// <summary>Every pixel of <paramref name="result"/> from the kernel's square around it; <paramref name="image"/> has the border.</summary>
    private void Convolve(ReadOnlySpan<float> image, int channels, int[] pixels, PackedKernel kernel, Span<float> result)
    {
        // As many rows of the kernel at a time as stay in the first cache while the image passes.
        var length = _shape.Kernel * channels;
        var atOnce = Math.Clamp(TermsInCache / length, 1, _shape.Kernel);
        for (var column = 0; column < kernel.Columns; column += TileKernels.Columns)
        {
            var panel = kernel.Panel(column);
            for (var row = 0; row < _shape.Kernel; row += atOnce)
            {
                TileKernels.Multiply(
                    image[(row * _paddedWidth * channels)..], _paddedWidth * channels, 1, pixels,
                    panel[(row * length * TileKernels.Columns)..], length * TileKernels.Columns, TileKernels.Columns,
                    Math.Min(atOnce, _shape.Kernel - row), length,
                    result[column..], kernel.Columns, Math.Min(TileKernels.Columns, kernel.Columns - column), accumulate: row > 0);
            }
        }
    }

    private ReadOnlySpan<float> Pair(int sample, int row, int column) => _outputs.AsSpan(
        (sample * OutputLength) + (((row * _shape.Width) + (2 * column)) * _shape.Outputs), 2 * _shape.Outputs);

    private int[] PixelOffsets(int channels)
    {
        var offsets = new int[_shape.Height * _shape.Width];
        for (var i = 0; i < offsets.Length; i++)
        {
            offsets[i] = ((i / _shape.Width * _paddedWidth) + (i % _shape.Width)) * channels;
        }

        return offsets;
    }

    /// <summary>Where the image begins as each weight of an output sees it: by kernel row, kernel column, input.</summary>
    private int[] TapOffsets()
    {
        var width = _shape.Kernel * _shape.Inputs;
        var offsets = new int[_shape.Kernel * width];
        for (var i = 0; i < offsets.Length; i++)
        {
            offsets[i] = (i / width * _paddedWidth * _shape.Inputs) + (i % width);
        }

        return offsets;
    }
}
