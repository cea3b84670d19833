using FedServerless.Compression;
using FedServerless.Numerics;

namespace FedServerless.Wire.Updates;

/// <summary>Writes the blocks of one update's parameters, in order.</summary>
internal readonly ref struct DeltaWriter
{
    private const string RoundingPurpose = "rounding";

    private readonly UpdateShape _shape;
    private readonly UpdateDeltas _deltas;
    private readonly Span<float> _decoded;
    private readonly long _seed;
    private readonly TopKSelection? _selection;
    private readonly float[] _scratch;

    /// <param name="shape">What the round's plan implies.</param>
    /// <param name="deltas">As many as it has parameters.</param>
    /// <param name="decoded">Empty, or as long: takes what the server will decode.</param>
    /// <param name="seed">Where chance comes from.</param>
    /// <exception cref="NonFiniteUpdateException">A value is NaN or infinite.</exception>
    public DeltaWriter(UpdateShape shape, UpdateDeltas deltas, Span<float> decoded, long seed)
    {
        _shape = shape;
        _deltas = deltas;
        _decoded = decoded;
        _seed = seed;
        if (shape.Codec is TopKCodec top && deltas.Length > 0)
        {
            _selection = TopKSelection.Of(deltas, (int)TopKCodec.Kept(top.Keep, deltas.Length));
            if (_selection.NonFinite >= 0)
            {
                throw NonFiniteUpdateException.At(shape.Layout, _selection.NonFinite);
            }
        }

        _scratch = deltas.AreStored || _selection is { NeedsValues: false } ? [] : new float[Math.Min(deltas.Length, shape.BlockCoordinates)];
    }

    /// <summary>Writes the next block; returns the bytes written.</summary>
    public int Write(int block, Span<byte> destination)
    {
        var (first, count) = _shape.ValuesOf(block);
        var values = ReadOnlySpan<float>.Empty;
        if (_selection is not { NeedsValues: false })
        {
            values = _deltas.Read((int)first, count, _scratch);
            NonFiniteUpdateException.ThrowIfAny(_shape.Layout, values, first);
        }

        var codec = _shape.Codec.ForBlock(block);
        var chance = DeterministicRandom.DeriveSeed(_seed, RoundingPurpose, block);
        int length;
        if (_selection is null)
        {
            length = codec.Encode(values, destination, chance);
        }
        else
        {
            _selection.Take(values, (int)first, count, out var indices, out var kept);
            length = ((TopKCodec)codec).Write(indices, kept, count, destination, chance);
        }

        if (!_decoded.IsEmpty && !codec.TryDecode(destination[..length], _decoded.Slice((int)first, count)))
        {
            throw new InvalidOperationException($"Codec '{codec.Name}' cannot decode a block it encoded.");
        }

        return length;
    }
}
