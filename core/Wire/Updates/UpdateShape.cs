using FedServerless.Compression;
using FedServerless.Model;

namespace FedServerless.Wire.Updates;

/// <summary>What a block holds.</summary>
public enum UpdateSection
{
    /// <summary>Parameter deltas, trained minus start, written by the codec.</summary>
    Parameters = 0,

    /// <summary>Buffer values (not deltas), always float32.</summary>
    Buffers = 1,

    /// <summary>Integer values, always int64.</summary>
    Integers = 2,
}

/// <summary>
/// All that is known of every update of a round before the first arrives: a pure function of layout, codec and block size.
/// Immutable; share one among all updates of a round.
/// </summary>
public sealed class UpdateShape
{
    private readonly int _longestBlock;

    private UpdateShape(TensorLayout layout, IUpdateCodec codec, int blockCoordinates)
    {
        Layout = layout;
        Codec = codec;
        BlockCoordinates = blockCoordinates;
        ParameterBlocks = (int)UpdateFormat.Blocks(layout.ParameterCount, blockCoordinates);
        BufferBlocks = (int)UpdateFormat.Blocks(layout.BufferCount, blockCoordinates);
        IntegerBlocks = (int)UpdateFormat.Blocks(layout.IntegerCount, IntegersPerBlock);
        for (var block = 0; block < BlockCount; block++)
        {
            var (min, max) = BlockLengthBounds(block);
            if (min < 0 || min > max || max > UpdateFormat.MaxBlockBytes)
            {
                throw new ArgumentException(
                    $"Codec '{codec.Name}' says that block {block} has {min} to {max} bytes; expected at most {UpdateFormat.MaxBlockBytes}.",
                    nameof(codec));
            }

            MaxPayloadLength += block < ParameterBlocks ? 0 : max;
            _longestBlock = Math.Max(_longestBlock, max);
        }

        MaxPayloadLength += codec.MaxUpdateLength(layout.ParameterCount, blockCoordinates);
    }

    /// <summary>The model's tensors.</summary>
    public TensorLayout Layout { get; }

    /// <summary>How parameter deltas are written.</summary>
    public IUpdateCodec Codec { get; }

    /// <summary>Coordinates a block of parameters or buffers; the last of each section may be shorter.</summary>
    public int BlockCoordinates { get; }

    /// <summary>Int64 values a block of integers: half of <see cref="BlockCoordinates"/>, the same bytes as float32.</summary>
    public int IntegersPerBlock => BlockCoordinates / 2;

    /// <summary>Blocks [0, ParameterBlocks) hold parameters.</summary>
    public int ParameterBlocks { get; }

    /// <summary>The next so many hold buffers.</summary>
    public int BufferBlocks { get; }

    /// <summary>The last so many hold integers.</summary>
    public int IntegerBlocks { get; }

    /// <summary>Blocks that hold float32 coordinates: parameters, then buffers.</summary>
    public int FloatBlocks => ParameterBlocks + BufferBlocks;

    /// <summary>All blocks.</summary>
    public int BlockCount => FloatBlocks + IntegerBlocks;

    /// <summary>Exact length of every header, in bytes.</summary>
    public int HeaderLength => UpdateFormat.FixedHeaderBytes + (UpdateFormat.HeaderBytesPerBlock * BlockCount);

    /// <summary>Longest legal payload, in bytes. Less than the longest blocks together where a codec shares a budget among them.</summary>
    public long MaxPayloadLength { get; }

    /// <summary>Works out the blocks.</summary>
    /// <exception cref="ArgumentException">A block could exceed <see cref="UpdateFormat.MaxBlockBytes"/>, the block size is illegal, or so small that a header would exceed <see cref="UpdateFormat.MaxHeaderBytes"/>.</exception>
    public static UpdateShape Create(TensorLayout layout, IUpdateCodec codec, int blockCoordinates)
    {
        ArgumentNullException.ThrowIfNull(codec);
        var headerLength = UpdateFormat.HeaderLength(layout, blockCoordinates);
        if (headerLength > UpdateFormat.MaxHeaderBytes)
        {
            throw new ArgumentException(
                $"With {blockCoordinates} coordinates a block the header has {headerLength} bytes; expected larger blocks, for at most {UpdateFormat.MaxHeaderBytes}.",
                nameof(blockCoordinates));
        }

        return new UpdateShape(layout, codec, blockCoordinates);
    }

    /// <summary>Works out the blocks of a round's updates.</summary>
    /// <param name="layout">The model's tensors.</param>
    /// <param name="update">How updates travel, as the round's plan or lease has it.</param>
    /// <exception cref="ArgumentException">There is no such codec, or its blocks are not possible over this layout.</exception>
    public static UpdateShape Create(TensorLayout layout, UpdateSpec update)
    {
        ArgumentNullException.ThrowIfNull(update);
        return Create(layout, UpdateCodecs.Of(update), update.BlockCoordinates);
    }

    /// <summary>What block <paramref name="block"/> holds.</summary>
    public UpdateSection SectionOf(int block)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(block);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(block, BlockCount);
        return block < ParameterBlocks ? UpdateSection.Parameters : block < FloatBlocks ? UpdateSection.Buffers : UpdateSection.Integers;
    }

    /// <summary>
    /// The values block <paramref name="block"/> holds: positions in the flat float32 vector of the model (parameters, then
    /// buffers), or in its int64 vector for a block of integers.
    /// </summary>
    public (long Start, int Count) ValuesOf(int block)
    {
        var (first, perBlock, origin, end) = SectionOf(block) switch
        {
            UpdateSection.Parameters => (0, BlockCoordinates, 0L, Layout.ParameterCount),
            UpdateSection.Buffers => (ParameterBlocks, BlockCoordinates, Layout.ParameterCount, Layout.FloatCount),
            _ => (FloatBlocks, IntegersPerBlock, 0L, Layout.IntegerCount),
        };
        var start = origin + ((long)(block - first) * perBlock);
        return (start, (int)Math.Min(perBlock, end - start));
    }

    /// <summary>The blocks that hold the flat float32 range [<paramref name="start"/>, <paramref name="start"/> + <paramref name="count"/>).</summary>
    /// <exception cref="ArgumentOutOfRangeException">The range is empty or leaves the vector.</exception>
    public (int First, int Count) BlocksOf(long start, long count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, Layout.FloatCount - start);
        var first = BlockAt(start);
        return (first, BlockAt(start + count - 1) - first + 1);
    }

    /// <summary>Smallest and largest legal length of a block, in bytes.</summary>
    public (int Min, int Max) BlockLengthBounds(int block)
    {
        var (_, count) = ValuesOf(block);
        return SectionOf(block) switch
        {
            UpdateSection.Parameters => Codec.EncodedLength(count),
            UpdateSection.Buffers => (sizeof(float) * count, sizeof(float) * count),
            _ => (sizeof(long) * count, sizeof(long) * count),
        };
    }

    /// <summary>Bytes to expect of a block, for forecasts; exact but for codecs that choose what they send.</summary>
    public int ExpectedBlockLength(int block) => SectionOf(block) == UpdateSection.Parameters
        ? Codec.ExpectedLength(ValuesOf(block).Count)
        : BlockLengthBounds(block).Max;

    /// <summary>Longest legal part: the plan's part size, or a block that is longer by itself.</summary>
    /// <param name="partBytes">The plan's part size.</param>
    public int MaxPartLength(int partBytes) => Math.Max(partBytes, _longestBlock);

    /// <summary>Most parts a payload can be cut into; exact for codecs of fixed length.</summary>
    /// <param name="partBytes">The plan's part size, <see cref="UpdateFormat.MinPartBytes"/> to <see cref="UpdateFormat.MaxPartBytes"/>.</param>
    public int MaxParts(int partBytes) => UpdateParts.MostOf(this, partBytes);

    private int BlockAt(long coordinate) => coordinate < Layout.ParameterCount
        ? (int)(coordinate / BlockCoordinates)
        : ParameterBlocks + (int)((coordinate - Layout.ParameterCount) / BlockCoordinates);
}
