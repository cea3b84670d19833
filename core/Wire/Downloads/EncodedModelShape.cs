using FedServerless.Model;
using FedServerless.Wire.Updates;

namespace FedServerless.Wire.Downloads;

/// <summary>Where the blocks of a whole encoded model are, so that one can be read alone. For codecs whose blocks all have one length.</summary>
public sealed class EncodedModelShape
{
    private readonly long[] _offsets;

    /// <summary>Works out the offsets.</summary>
    /// <param name="layout">Names, shapes and roles.</param>
    /// <param name="codec">How parameters are written.</param>
    public EncodedModelShape(TensorLayout layout, Compression.IUpdateCodec codec)
    {
        Shape = UpdateShape.Create(layout, codec, UpdateFormat.MaxBlockCoordinates);
        _offsets = new long[Shape.BlockCount + 1];
        _offsets[0] = EncodedModelPrelude.Size + CanonicalModelFile.Create(layout).Header.Length;
        for (var block = 0; block < Shape.BlockCount; block++)
        {
            _offsets[block + 1] = _offsets[block] + Shape.BlockLengthBounds(block).Max;
        }
    }

    /// <summary>The blocks.</summary>
    public UpdateShape Shape { get; }

    /// <summary>Length of the file, in bytes.</summary>
    public long Length => _offsets[^1] + Shape.HeaderLength;

    /// <summary>Where a block begins in the file, or where the last one ends.</summary>
    public long OffsetOf(int block) => _offsets[block];

    /// <summary>Decodes blocks of parameters or buffers; they are not hashed.</summary>
    /// <param name="first">The first.</param>
    /// <param name="count">How many.</param>
    /// <param name="bytes">Theirs.</param>
    /// <param name="destination">As long as their values.</param>
    /// <exception cref="InvalidDataException">They are not legal.</exception>
    public void Decode(int first, int count, ReadOnlySpan<byte> bytes, Span<float> destination)
    {
        for (var (block, at) = (first, 0); block < first + count; block++)
        {
            var values = destination.Slice(at, Shape.ValuesOf(block).Count);
            var encoded = bytes.Slice((int)(_offsets[block] - _offsets[first]), (int)(_offsets[block + 1] - _offsets[block]));
            if (Shape.SectionOf(block) == UpdateSection.Buffers)
            {
                Numerics.LittleEndian.Read(encoded, values);
            }
            else if (!Shape.Codec.ForBlock(block).TryDecode(encoded, values))
            {
                throw new InvalidDataException($"Block {block} is not a legal {Shape.Codec.Name} block.");
            }

            at += values.Length;
        }
    }
}
