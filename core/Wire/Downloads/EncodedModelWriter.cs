using FedServerless.Compression;
using FedServerless.Model;
using FedServerless.Numerics;
using FedServerless.Wire.Updates;

namespace FedServerless.Wire.Downloads;

/// <summary>
/// Writes a model for its way to devices, block by block and in the memory of one: <see cref="Prelude"/>, every block in order,
/// <see cref="Trailer"/>. What a device makes of it is told with every block.
/// </summary>
public sealed class EncodedModelWriter
{
    private readonly byte[] _trailer;
    private readonly byte[] _prelude;
    private readonly bool _half;
    private readonly byte[] _bytes;
    private readonly float[] _decoded;

    /// <summary>Begins a file.</summary>
    /// <param name="layout">Names, shapes and roles.</param>
    /// <param name="codec">How parameters are written: one whose blocks all have one length.</param>
    /// <param name="start">SHA-256 of the model file that the parameters are differences to; null for the parameters themselves.</param>
    /// <param name="half">Round what comes out to binary16, so that it can be sent in that encoding exactly.</param>
    public EncodedModelWriter(TensorLayout layout, IUpdateCodec codec, Digest? start, bool half)
    {
        Shape = UpdateShape.Create(layout, codec, UpdateFormat.MaxBlockCoordinates);
        File = CanonicalModelFile.Create(layout);
        _half = half;

        // Whoever holds the start knows the layout.
        var header = start is null ? File.Header : default;
        _prelude = [.. new EncodedModelPrelude(codec.Id, half, Shape.BlockCoordinates, header.Length, File.Length, start ?? default).ToBytes(), .. header.Span];
        _trailer = new byte[Shape.HeaderLength];
        _bytes = new byte[UpdateFormat.MinPartBytes];
        _decoded = new float[Shape.BlockCoordinates];
        UpdateHeaderLayout.WriteFixed(_trailer, Shape, start ?? default);
        Length = _prelude.Length + Shape.MaxPayloadLength + _trailer.Length;
    }

    /// <summary>The file that a device makes of it.</summary>
    public CanonicalModelFile File { get; }

    /// <summary>The blocks.</summary>
    public UpdateShape Shape { get; }

    /// <summary>The file's first bytes.</summary>
    public ReadOnlyMemory<byte> Prelude => _prelude;

    /// <summary>The file's last bytes, after every block was written.</summary>
    public ReadOnlyMemory<byte> Trailer => _trailer;

    /// <summary>Length of the file, in bytes.</summary>
    public long Length { get; }

    /// <summary>Writes a block of parameters or buffers.</summary>
    /// <param name="block">Below <see cref="UpdateShape.FloatBlocks"/>.</param>
    /// <param name="values">What the model has there.</param>
    /// <param name="start">What the model that is built on has there; empty for none.</param>
    /// <param name="result">Takes what a device will have there.</param>
    /// <returns>The block's bytes, until the next call.</returns>
    /// <exception cref="ArithmeticException">A difference or a result is not finite.</exception>
    public ReadOnlyMemory<byte> Write(int block, ReadOnlySpan<float> values, ReadOnlySpan<float> start, Span<float> result)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(values.Length, Shape.ValuesOf(block).Count);
        var length = values.Length * sizeof(float);
        if (Shape.SectionOf(block) == UpdateSection.Buffers)
        {
            LittleEndian.Write(values, _bytes);
            values.CopyTo(result);
        }
        else
        {
            length = WriteParameters(block, values, start, result);
        }

        UpdateHeaderLayout.WriteBlock(_trailer, block, _bytes.AsSpan(0, length));
        return _bytes.AsMemory(0, length);
    }

    /// <summary>Writes a block of integers.</summary>
    /// <param name="block">From <see cref="UpdateShape.FloatBlocks"/>.</param>
    /// <param name="values">What the model has there.</param>
    /// <returns>The block's bytes, until the next call.</returns>
    public ReadOnlyMemory<byte> Write(int block, ReadOnlySpan<long> values)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(values.Length, Shape.ValuesOf(block).Count);
        LittleEndian.Write(values, _bytes);
        var bytes = _bytes.AsMemory(0, values.Length * sizeof(long));
        UpdateHeaderLayout.WriteBlock(_trailer, block, bytes.Span);
        return bytes;
    }

    private int WriteParameters(int block, ReadOnlySpan<float> values, ReadOnlySpan<float> start, Span<float> result)
    {
        var decoded = _decoded.AsSpan(0, values.Length);
        for (var i = 0; i < decoded.Length; i++)
        {
            decoded[i] = start.IsEmpty ? values[i] : values[i] - start[i];
        }

        CheckFinite(block, decoded);
        var codec = Shape.Codec.ForBlock(block);
        var length = codec.Encode(decoded, _bytes);
        if (!codec.TryDecode(_bytes.AsSpan(0, length), decoded))
        {
            throw new InvalidOperationException($"Codec '{codec.Name}' cannot decode a block it encoded.");
        }

        EncodedModelBlocks.Reconstruct(start, decoded, _half, result);
        CheckFinite(block, result);
        return length;
    }

    private void CheckFinite(int block, ReadOnlySpan<float> values)
    {
        var at = FiniteValues.FirstNonFinite(values);
        if (at >= 0)
        {
            throw new ArithmeticException($"Value {Shape.ValuesOf(block).Start + at} of the model cannot be sent as a difference: it is {values[at]}.");
        }
    }
}
