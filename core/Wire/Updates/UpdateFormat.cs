using FedServerless.Model;

namespace FedServerless.Wire.Updates;

/// <summary>Numbers of the update format; <c>docs/concepts/update-format.md</c> specifies every byte.</summary>
public static class UpdateFormat
{
    /// <summary>The version this build writes and the newest it reads.</summary>
    public const int Version = 1;

    /// <summary>Bytes of a header before its table of blocks.</summary>
    public const int FixedHeaderBytes = 104;

    /// <summary>Bytes a block takes in the header: its length and its truncated SHA-256.</summary>
    public const int HeaderBytesPerBlock = sizeof(uint) + BlockHashBytes;

    /// <summary>Bytes kept of a block's SHA-256.</summary>
    public const int BlockHashBytes = 16;

    /// <summary>Longest header: 8 MiB, 419 425 blocks.</summary>
    public const int MaxHeaderBytes = 8 << 20;

    /// <summary>Fewest coordinates a block.</summary>
    public const int MinBlockCoordinates = 1024;

    /// <summary>Most coordinates a block.</summary>
    public const int MaxBlockCoordinates = 65_536;

    /// <summary>
    /// Longest a block may be: 65 536 float32 are 256 KiB, and a sparse block that keeps them all says where they stand besides.
    /// </summary>
    public const int MaxBlockBytes = 288 << 10;

    /// <summary>Smallest limit on the bytes of a payload part.</summary>
    public const int MinPartBytes = 256 << 10;

    /// <summary>Largest limit on the bytes of a payload part.</summary>
    public const int MaxPartBytes = 8 << 20;

    /// <summary>
    /// Length of every header over this layout. It may exceed <see cref="MaxHeaderBytes"/>; then the block size is too small
    /// for the model.
    /// </summary>
    /// <param name="layout">The model's tensors.</param>
    /// <param name="blockCoordinates">A power of two from <see cref="MinBlockCoordinates"/> to <see cref="MaxBlockCoordinates"/>.</param>
    public static long HeaderLength(TensorLayout layout, int blockCoordinates)
    {
        ArgumentNullException.ThrowIfNull(layout);
        CheckBlockCoordinates(blockCoordinates);
        var blocks = Blocks(layout.ParameterCount, blockCoordinates)
            + Blocks(layout.BufferCount, blockCoordinates)
            + Blocks(layout.IntegerCount, blockCoordinates / 2);
        return FixedHeaderBytes + (HeaderBytesPerBlock * blocks);
    }

    /// <summary>True for a power of two from <see cref="MinBlockCoordinates"/> to <see cref="MaxBlockCoordinates"/>.</summary>
    public static bool IsBlockCoordinates(int blockCoordinates) =>
        blockCoordinates is >= MinBlockCoordinates and <= MaxBlockCoordinates && int.IsPow2(blockCoordinates);

    internal static long Blocks(long values, int perBlock) => (values + perBlock - 1) / perBlock;

    internal static void CheckBlockCoordinates(int blockCoordinates)
    {
        if (!IsBlockCoordinates(blockCoordinates))
        {
            throw new ArgumentOutOfRangeException(
                nameof(blockCoordinates), blockCoordinates, $"Expected a power of two from {MinBlockCoordinates} to {MaxBlockCoordinates}.");
        }
    }
}
