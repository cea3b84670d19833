namespace FedServerless.Compression;

/// <summary>A codec whose blocks leave coordinates out: they are read without writing out the zeros between.</summary>
internal interface ISparseUpdateCodec : IUpdateCodec
{
    /// <summary>Reads what a block says. False for bytes that are not a legal block; the content of <paramref name="sparse"/> is then undefined.</summary>
    /// <param name="block">The block's bytes.</param>
    /// <param name="coordinates">Coordinates of the block, 1 or more.</param>
    /// <param name="sparse">Takes the coordinates and values; never more than <paramref name="coordinates"/>.</param>
    bool TryRead(ReadOnlySpan<byte> block, int coordinates, SparseBlock sparse);
}
