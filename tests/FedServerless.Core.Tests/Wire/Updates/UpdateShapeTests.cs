using FedServerless.Compression;
using FedServerless.Core.Tests.Compression;
using FedServerless.Model;
using FedServerless.Wire;
using FedServerless.Wire.Updates;

namespace FedServerless.Core.Tests.Wire.Updates;

public sealed class UpdateShapeTests
{
    private static readonly IUpdateCodec Float32 = UpdateCodecs.All.Get(UpdateCodecs.Float32);

    [Theory]
    [InlineData(1, 0, 0, 1, 0, 0)]
    [InlineData(1024, 1023, 511, 1, 1, 1)]
    [InlineData(1025, 1024, 512, 2, 1, 1)]
    [InlineData(0, 1025, 513, 0, 2, 2)]
    [InlineData(0, 0, 1, 0, 0, 1)]
    public void Create_AnySizes_CountsBlocksOfEachSection(int parameters, int buffers, int integers, int p, int b, int i)
    {
        var shape = UpdateShape.Create(UpdateSamples.Layout(parameters, buffers, integers), Float32, 1024);

        Assert.Equal((p, b, i), (shape.ParameterBlocks, shape.BufferBlocks, shape.IntegerBlocks));
        Assert.Equal(104 + (20 * (p + b + i)), shape.HeaderLength);
        Assert.Equal((4L * parameters) + (4L * buffers) + (8L * integers), shape.MaxPayloadLength);
    }

    [Fact]
    public void ValuesOf_AllBlocks_CoverEveryValueOnceInOrder()
    {
        var shape = UpdateShape.Create(UpdateSamples.Layout(2100, 1500, 700), Float32, 1024);

        (long, int)[] expected = [(0, 1024), (1024, 1024), (2048, 52), (2100, 1024), (3124, 476), (0, 512), (512, 188)];

        Assert.Equal(expected, Enumerable.Range(0, shape.BlockCount).Select(shape.ValuesOf));
    }

    [Fact]
    public void BlocksOf_EveryRange_IsExactlyTheBlocksThatHoldIt()
    {
        var shape = UpdateShape.Create(UpdateSamples.Layout(2100, 1500, 3), Float32, 1024);
        var owner = Enumerable.Range(0, shape.FloatBlocks)
            .SelectMany(block => Enumerable.Repeat(block, shape.ValuesOf(block).Count)).ToArray();
        for (var start = 0; start < owner.Length; start += 13)
        {
            for (var count = 1; count <= owner.Length - start; count += 97)
            {
                var (first, blocks) = shape.BlocksOf(start, count);

                Assert.Equal((owner[start], owner[start + count - 1]), (first, first + blocks - 1));
            }
        }
    }

    [Theory]
    [InlineData(-1, 1)]
    [InlineData(0, 0)]
    [InlineData(0, 3601)]
    [InlineData(3600, 1)]
    [InlineData(1, long.MaxValue)]
    public void BlocksOf_OutsideTheVector_Throws(long start, long count)
    {
        var shape = UpdateShape.Create(UpdateSamples.Layout(2100, 1500, 3), Float32, 1024);

        Assert.Throws<ArgumentOutOfRangeException>(() => shape.BlocksOf(start, count));
    }

    [Theory]
    [InlineData(512, false)]
    [InlineData(1023, false)]
    [InlineData(1024, true)]
    [InlineData(1025, false)]
    [InlineData(65_535, false)]
    [InlineData(65_536, true)]
    [InlineData(131_072, false)]
    [InlineData(0, false)]
    [InlineData(int.MinValue, false)]
    public void Create_BlockSize_MustBeAPowerOfTwoInRange(int blockCoordinates, bool legal)
    {
        var layout = UpdateSamples.Layout(10, 0, 0);

        Assert.Equal(legal, Record.Exception(() => UpdateShape.Create(layout, Float32, blockCoordinates)) is null);
        Assert.Equal(legal, UpdateFormat.IsBlockCoordinates(blockCoordinates));
    }

    [Theory]
    [InlineData(-1, true)]
    [InlineData(0, true)]
    [InlineData(1, false)]
    public void Create_HeaderAroundItsLimit_IsRefusedAboveIt(int difference, bool legal)
    {
        // (8 MiB − 104) / 20 = 419 425 whole blocks.
        var layout = UpdateSamples.Layout((419_425 * 1024) + difference, 0, 0);

        Assert.Equal(legal, Record.Exception(() => UpdateShape.Create(layout, Float32, 1024)) is null);
        Assert.Equal(legal, UpdateFormat.HeaderLength(layout, 1024) <= UpdateFormat.MaxHeaderBytes);
    }

    [Theory]
    [InlineData(4, 65_536, true)]
    [InlineData(9, 32_768, true)]
    [InlineData(18, 16_385, false)]
    [InlineData(18, 16_384, true)]
    [InlineData(18, 16_383, true)]
    [InlineData(5, 65_536, false)]
    public void Create_CodecWithLongBlocks_IsRefusedAboveTheLongest(int bytesPerValue, int parameters, bool legal)
    {
        var layout = UpdateSamples.Layout(parameters, 0, 0);

        var thrown = Record.Exception(() => UpdateShape.Create(layout, new NamedCodec("mine", 200, bytesPerValue), 65_536));

        Assert.Equal(legal, thrown is null);
    }

    [Fact]
    public void MaxPartLength_OneBlockIsLongerThanAPart_IsThatBlock()
    {
        // A sparse block that keeps 65 536 float32: 4 + 262 144 + 8192 bytes.
        var shape = UpdateShape.Create(UpdateSamples.Layout(200_000, 0, 0), new UpdateSpec { Codec = UpdateCodecs.TopK, Keep = 1 });

        Assert.Equal(270_340, shape.MaxPartLength(UpdateFormat.MinPartBytes));
        Assert.Equal(270_341, shape.MaxPartLength(270_341));
        Assert.Equal(4, shape.MaxParts(UpdateFormat.MinPartBytes));
    }

    [Fact]
    public void Create_LargestModel_HasPartsWithinTheUploadLimit()
    {
        var layout = TensorLayout.Create([new("w", [1 << 30], TensorRole.Parameter), new("n", [65_536], TensorRole.Integer)]);

        var shape = UpdateShape.Create(layout, Float32, 65_536);

        Assert.Equal((1L << 32) + 524_288, shape.MaxPayloadLength);
        Assert.Equal(1025, shape.MaxParts(4 << 20));
    }
}
