using FedServerless.Compression;
using FedServerless.Model;
using FedServerless.Numerics;

namespace FedServerless.Wire.Updates;

/// <summary>Writes updates, in memory of two blocks and a small multiple of what is sent beside the models.</summary>
public static class UpdateEncoder
{
    /// <summary>
    /// Writes what training changed: parameter deltas <c>trained − start</c>, buffer values and integers as trained.
    /// </summary>
    /// <param name="shape">What the round's plan implies.</param>
    /// <param name="startDigest">SHA-256 of the artifact that <paramref name="start"/> was read from.</param>
    /// <param name="start">The model before training.</param>
    /// <param name="trained">The model after training.</param>
    /// <param name="payload">Takes the payload, blocks in order.</param>
    /// <param name="decoded">
    /// Empty, or as long as the parameters: takes the deltas as the server will decode them, so that what was lost on the way is
    /// <c>delta − decoded</c>. Not the memory of the deltas.
    /// </param>
    /// <param name="seed">Where the chance of a codec that rounds at random comes from; the same seed gives the same bytes.</param>
    /// <returns>The header.</returns>
    /// <exception cref="ArgumentException">A model has another layout than the shape.</exception>
    /// <exception cref="NonFiniteUpdateException">A value is NaN or infinite; part of the payload may have been written.</exception>
    public static UpdateHeader Encode(
        UpdateShape shape, Digest startDigest, ModelState start, ModelState trained, Stream payload, Span<float> decoded = default, long seed = 0)
    {
        ArgumentNullException.ThrowIfNull(shape);
        ArgumentNullException.ThrowIfNull(start);
        ArgumentNullException.ThrowIfNull(trained);
        if (start.Layout.Digest != shape.Layout.Digest || trained.Layout.Digest != shape.Layout.Digest)
        {
            throw new ArgumentException("The models before and after training must have the shape's tensor layout.", nameof(trained));
        }

        return Write(shape, startDigest, start.Parameters, trained.Parameters, trained.Buffers, trained.Integers, payload, decoded, seed);
    }

    /// <summary>Writes deltas that were already taken, for example to clip them.</summary>
    /// <param name="shape">What the round's plan implies.</param>
    /// <param name="startDigest">SHA-256 of the artifact that the deltas are against.</param>
    /// <param name="deltas">One for each parameter.</param>
    /// <param name="buffers">The buffers' values (not deltas).</param>
    /// <param name="integers">The integers' values.</param>
    /// <param name="payload">Takes the payload, blocks in order.</param>
    /// <param name="decoded">
    /// Empty, or as long as the parameters: takes the deltas as the server will decode them, so that what was lost on the way is
    /// <c>delta − decoded</c>. Not the memory of the deltas.
    /// </param>
    /// <param name="seed">Where the chance of a codec that rounds at random comes from; the same seed gives the same bytes.</param>
    /// <returns>The header.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A length does not fit the shape.</exception>
    /// <exception cref="NonFiniteUpdateException">A value is NaN or infinite; part of the payload may have been written.</exception>
    public static UpdateHeader EncodeDeltas(
        UpdateShape shape,
        Digest startDigest,
        ReadOnlySpan<float> deltas,
        ReadOnlySpan<float> buffers,
        ReadOnlySpan<long> integers,
        Stream payload,
        Span<float> decoded = default,
        long seed = 0)
    {
        ArgumentNullException.ThrowIfNull(shape);
        ArgumentOutOfRangeException.ThrowIfNotEqual(deltas.Length, shape.Layout.ParameterCount);
        ArgumentOutOfRangeException.ThrowIfNotEqual(buffers.Length, shape.Layout.BufferCount);
        ArgumentOutOfRangeException.ThrowIfNotEqual(integers.Length, shape.Layout.IntegerCount);
        return Write(shape, startDigest, [], deltas, buffers, integers, payload, decoded, seed);
    }

    private static UpdateHeader Write(
        UpdateShape shape,
        Digest startDigest,
        ReadOnlySpan<float> start,
        ReadOnlySpan<float> trained,
        ReadOnlySpan<float> buffers,
        ReadOnlySpan<long> integers,
        Stream payload,
        Span<float> decoded,
        long seed)
    {
        ArgumentNullException.ThrowIfNull(payload);
        if (decoded.Length != 0)
        {
            ArgumentOutOfRangeException.ThrowIfNotEqual(decoded.Length, shape.Layout.ParameterCount);
        }

        var header = new byte[shape.HeaderLength];
        UpdateHeaderLayout.WriteFixed(header, shape, startDigest);
        var deltas = new DeltaWriter(shape, new UpdateDeltas(trained[..(int)shape.Layout.ParameterCount], start), decoded, seed);
        var bytes = Array.Empty<byte>();
        for (var block = 0; block < shape.BlockCount; block++)
        {
            var (first, count) = shape.ValuesOf(block);
            var (_, longest) = shape.BlockLengthBounds(block);
            bytes = bytes.Length >= longest ? bytes : new byte[longest];
            var length = longest;
            switch (shape.SectionOf(block))
            {
                case UpdateSection.Parameters:
                    length = deltas.Write(block, bytes);
                    break;
                case UpdateSection.Buffers:
                    var part = buffers.Slice((int)(first - shape.Layout.ParameterCount), count);
                    NonFiniteUpdateException.ThrowIfAny(shape.Layout, part, first);
                    LittleEndian.Write(part, bytes);
                    break;
                default:
                    LittleEndian.Write(integers.Slice((int)first, count), bytes);
                    break;
            }

            UpdateHeaderLayout.WriteBlock(header, block, bytes.AsSpan(0, length));
            payload.Write(bytes, 0, length);
        }

        return UpdateHeader.Trusted(header, shape, startDigest);
    }
}
