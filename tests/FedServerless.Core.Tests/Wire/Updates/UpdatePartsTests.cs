using FedServerless.Compression;
using FedServerless.Wire;
using FedServerless.Wire.Updates;

namespace FedServerless.Core.Tests.Wire.Updates;

public sealed class UpdatePartsTests
{
    private const int KiB = 1024;

    [Theory]
    [InlineData(UpdateCodecs.Float32, 65_536, 256 * KiB)]
    [InlineData(UpdateCodecs.Float16, 65_536, 300_000)]
    [InlineData(UpdateCodecs.Int8, 65_536, 256 * KiB)]
    [InlineData(UpdateCodecs.Int8, 1024, 256 * KiB)]
    [InlineData(UpdateCodecs.Float32, 4096, 8192 * KiB)]
    public void Cut_AnyCodec_TakesAsManyWholeBlocksAsFit(string codec, int blockCoordinates, int partBytes)
    {
        var header = Header(codec, blockCoordinates, parameters: 700_001, buffers: 70_000, integers: 33_000);

        var parts = UpdateParts.Cut(header, partBytes);

        long offset = 0;
        var block = 0;
        for (var i = 0; i < parts.Count; i++)
        {
            Assert.Equal((i, offset, block), (parts[i].Index, parts[i].Offset, parts[i].FirstBlock));
            Assert.InRange(parts[i].Length, 1, partBytes);
            Assert.Equal(Enumerable.Range(block, parts[i].BlockCount).Sum(header.BlockLength), parts[i].Length);
            offset += parts[i].Length;
            block += parts[i].BlockCount;
            Assert.True(i == parts.Count - 1 || parts[i].Length + header.BlockLength(block) > partBytes);
        }

        Assert.Equal((header.PayloadLength, header.Shape.BlockCount), (offset, block));
        Assert.Equal(parts.Count, header.Shape.MaxParts(partBytes));
    }

    [Fact]
    public void Cut_Float32_HandCase()
    {
        // 3 blocks of 256 KiB and one of 4 bytes.
        var header = Header(UpdateCodecs.Float32, 65_536, parameters: (3 * 65_536) + 1, buffers: 0, integers: 0);

        Assert.Equal(
            [new(0, 0, 512 * KiB, 0, 2), new UpdatePart(1, 512 * KiB, (256 * KiB) + 4, 2, 2)],
            UpdateParts.Cut(header, (512 * KiB) + 3));
    }

    [Fact]
    public void Reads_EveryRangeOfBlocks_FetchesEachBlockOnceInOrder()
    {
        var header = Header(UpdateCodecs.Int8, 16_384, parameters: 700_001, buffers: 70_000, integers: 33_000);
        var parts = UpdateParts.Cut(header, 256 * KiB);
        for (var first = 0; first < header.Shape.BlockCount; first++)
        {
            for (var count = 1; count <= header.Shape.BlockCount - first; count++)
            {
                var next = first;
                var previous = -1;
                foreach (var read in parts.Reads(first, count))
                {
                    Assert.True(read.Part > previous);
                    Assert.Equal(next, read.FirstBlock);
                    Assert.Equal(header.BlockOffset(next), parts[read.Part].Offset + read.Offset);
                    Assert.Equal(Enumerable.Range(next, read.BlockCount).Sum(header.BlockLength), read.Length);
                    Assert.True(read.Offset + read.Length <= parts[read.Part].Length);
                    (next, previous) = (next + read.BlockCount, read.Part);
                }

                Assert.Equal(first + count, next);
            }
        }
    }

    [Theory]
    [InlineData(-1, 1)]
    [InlineData(0, 0)]
    [InlineData(0, 2)]
    [InlineData(1, 1)]
    public void Reads_OutsideThePayload_Throws(int first, int count)
    {
        var parts = UpdateParts.Cut(Header(UpdateCodecs.Int8, 1024, 10, 0, 0), 256 * KiB);

        Assert.Throws<ArgumentOutOfRangeException>(() => parts.Reads(first, count));
    }

    [Theory]
    [InlineData((256 * KiB) - 1, false)]
    [InlineData(256 * KiB, true)]
    [InlineData((256 * KiB) + 1, true)]
    [InlineData((8192 * KiB) - 1, true)]
    [InlineData(8192 * KiB, true)]
    [InlineData((8192 * KiB) + 1, false)]
    public void Cut_PartSizeAroundItsLimits_IsRefusedOutside(int partBytes, bool legal)
    {
        var header = Header(UpdateCodecs.Int8, 1024, 10, 0, 0);

        Assert.Equal(legal, Record.Exception(() => UpdateParts.Cut(header, partBytes)) is null);
    }

    private static UpdateHeader Header(string codec, int blockCoordinates, int parameters, int buffers, int integers)
    {
        var layout = UpdateSamples.Layout(parameters, buffers, integers);
        var shape = UpdateShape.Create(layout, UpdateCodecs.All.Get(codec), blockCoordinates);
        return UpdateEncoder.EncodeDeltas(
            shape, Digest.Of("start"u8), new float[parameters], new float[buffers], new long[integers], Stream.Null);
    }
}
