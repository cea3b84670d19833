using FedServerless.Aggregation.Robust;
using FedServerless.Compression;
using FedServerless.Core.Tests.Numerics;
using FedServerless.Wire;

namespace FedServerless.Core.Tests.Aggregation.Robust;

public sealed class ColumnOrderTests
{
    public static TheoryData<int, int> Shapes
    {
        get
        {
            var shapes = new TheoryData<int, int>();
            foreach (var clients in new[] { 1, 2, 3, 4, 5, 16, 33, 100, 257 })
            {
                foreach (var coordinates in new[] { 1, 15, 16, 17, 63, 64, 65, 509 })
                {
                    shapes.Add(clients, coordinates);
                }
            }

            return shapes;
        }
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Median_AnyShape_HasTheBytesOfTheScalarTwin(int clients, int coordinates)
    {
        var updates = Wild(clients, coordinates);
        var (actual, expected) = (new double[coordinates], new double[coordinates]);

        Assert.True(ColumnOrder.ForMedian(clients, null).TryMedian(Blocks.Tile(updates), actual));

        for (var c = 0; c < coordinates; c++)
        {
            var column = Sorted(updates, c);
            expected[c] = ((double)column[(clients - 1) / 2] + column[clients / 2]) / 2;
        }

        Assert.Equal(Vectors.Bits(expected), Vectors.Bits(actual));
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void LowerMedian_AnyShape_HasTheBytesOfTheScalarTwin(int clients, int coordinates)
    {
        var updates = Wild(clients, coordinates);
        var actual = new float[coordinates];

        Assert.True(ColumnOrder.ForLowerMedian(clients).TryLowerMedian(Blocks.Tile(updates), actual));

        var expected = Enumerable.Range(0, coordinates).Select(c => Sorted(updates, c)[(clients - 1) / 2]).ToArray();
        Assert.Equal(Vectors.Bits(expected), Vectors.Bits(actual));
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void TrimmedMean_AnyShape_HasTheBytesOfTheScalarTwin(int clients, int coordinates)
    {
        var updates = Wild(clients, coordinates);
        var trim = (clients - 1) / 3;
        var (actual, expected) = (new double[coordinates], new double[coordinates]);

        Assert.True(ColumnOrder.ForTrimmedMean(clients, trim, null).TryTrimmedMean(Blocks.Tile(updates), trim, actual));

        for (var c = 0; c < coordinates; c++)
        {
            var sum = 0.0;
            foreach (var value in Sorted(updates, c)[trim..^trim])
            {
                sum += value;
            }

            expected[c] = sum / (clients - (2 * trim));
        }

        Assert.Equal(Vectors.Bits(expected), Vectors.Bits(actual));
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void MeanAroundMedian_AnyShape_HasTheBytesOfTheScalarTwin(int clients, int coordinates)
    {
        // Whole numbers, so that values at equal distance on both sides of the median are frequent.
        var random = new Random(clients + coordinates);
        float[][] updates = [.. Enumerable.Range(0, clients).Select(_ => Enumerable.Range(0, coordinates).Select(_ => (float)random.Next(-5, 6)).ToArray())];
        var keep = Math.Max(1, clients - (2 * (clients / 4)));
        var (actual, expected) = (new double[coordinates], new double[coordinates]);

        Assert.True(ColumnOrder.ForMeanAroundMedian(clients, null).TryMeanAroundMedian(Blocks.Tile(updates), keep, actual));

        for (var c = 0; c < coordinates; c++)
        {
            var column = Sorted(updates, c);
            var median = ((double)column[(clients - 1) / 2] + column[clients / 2]) / 2;
            float[] kept = [.. column.OrderBy(value => Math.Abs(value - median)).ThenBy(value => value).Take(keep).Order()];
            expected[c] = kept.Sum(value => (double)value) / keep;
        }

        Assert.Equal(Vectors.Bits(expected), Vectors.Bits(actual));
    }

    [Fact]
    public void MeanAroundMedian_EqualDistance_TakesTheLowerValue()
    {
        var mean = new double[1];

        Assert.True(ColumnOrder.ForMeanAroundMedian(5, null).TryMeanAroundMedian(Blocks.Tile([3], [1], [2], [9], [-9]), 2, mean));

        // Median 2; 1 and 3 are equally far from it.
        Assert.Equal([1.5], mean);
    }

    [Fact]
    public void Median_ZerosOfBothSigns_OrdersMinusZeroFirst()
    {
        var median = new float[1];

        Assert.True(ColumnOrder.ForLowerMedian(2).TryLowerMedian(Blocks.Tile([0f], [-0f]), median));

        Assert.True(float.IsNegative(median[0]));
    }

    // PITFALLS 34: one NaN must not win.
    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void Median_ValueThatIsNotFinite_IsRefused(float value)
    {
        var updates = Blocks.Random(5, 70, seed: 1);
        updates[3][69] = value;

        Assert.False(ColumnOrder.ForMedian(5, null).TryMedian(Blocks.Tile(updates), new double[70]));
    }

    public static TheoryData<string, double> Codecs
    {
        get
        {
            var rows = new TheoryData<string, double>();
            foreach (var name in UpdateCodecs.All.Names)
            {
                rows.Add(name, 0.2);
                rows.Add(name, 0.9);
            }

            return rows;
        }
    }

    [Theory]
    [MemberData(nameof(Codecs))]
    public void Median_OtherCodecs_IsTheMedianOfWhatTheyDecode(string name, double keep)
    {
        var codec = UpdateCodecs.Of(new UpdateSpec { Codec = name, Keep = keep });
        var (encoded, decoded) = Encode(codec, Blocks.Random(9, 333, seed: 2));
        var (actual, expected) = (new double[333], new double[333]);
        Assert.True(UpdateTile.TryOpen(codec, encoded, 333, null, out var tile));

        Assert.True(ColumnOrder.ForMedian(9, null).TryMedian(tile!, actual));
        Assert.True(ColumnOrder.ForMedian(9, null).TryMedian(Blocks.Tile(decoded), expected));

        Assert.Equal(Vectors.Bits(expected), Vectors.Bits(actual));
    }

    [Theory]
    [InlineData(UpdateCodecs.TopK)]
    [InlineData(UpdateCodecs.RandomKInt8)]
    [InlineData(UpdateCodecs.Sign)]
    public void TryOpen_BlockOfAnotherLengthWithoutAKernel_IsRefused(string name)
    {
        var codec = UpdateCodecs.All.Get(name);
        var (encoded, _) = Encode(codec, Blocks.Random(2, 333, seed: 3));

        Assert.False(UpdateTile.TryOpen(codec, [encoded[0], encoded[1][..^1]], 333, null, out _));
    }

    [Fact]
    public void TryOpen_BlockOfAnotherLength_IsRefusedWhenRead()
    {
        var block = (ReadOnlyMemory<byte>)new byte[19];
        Assert.True(UpdateTile.TryOpen(UpdateCodecs.All.Get(UpdateCodecs.Float32), [block], 5, null, out var tile));

        Assert.False(tile!.TryRead(0, 5, new float[5], 5));
    }

    [Fact]
    public void Flip_TotalOrder_IsThatOfTheStandard()
    {
        // IEEE 754-2019, 5.10.
        float[] ascending = [-float.NaN, float.NegativeInfinity, float.MinValue, -1, -float.Epsilon, -0f, 0f, float.Epsilon, 1, float.MaxValue, float.PositiveInfinity];
        int[] ordered = [.. ascending.Select(value => OrderedBits.Flip(BitConverter.SingleToInt32Bits(value)))];

        Assert.Equal(ordered.Order(), ordered);
        Assert.Equal(Vectors.Bits(ascending), Vectors.Bits([.. ordered.Select(OrderedBits.ToSingle)]));
    }

    private static (ReadOnlyMemory<byte>[] Encoded, float[][] Decoded) Encode(IUpdateCodec codec, float[][] updates)
    {
        var encoded = new ReadOnlyMemory<byte>[updates.Length];
        var decoded = new float[updates.Length][];
        for (var i = 0; i < updates.Length; i++)
        {
            var bytes = new byte[codec.EncodedLength(updates[i].Length).Max];
            encoded[i] = bytes.AsMemory(0, codec.Encode(updates[i], bytes));
            decoded[i] = new float[updates[i].Length];
            Assert.True(codec.TryDecode(encoded[i].Span, decoded[i]));
        }

        return (encoded, decoded);
    }

    private static float[][] Wild(int clients, int coordinates) =>
        [.. Enumerable.Range(0, clients).Select(i => Vectors.Wild(coordinates, (clients * 7919) + i))];

    private static float[] Sorted(float[][] updates, int coordinate)
    {
        // float's own order knows no difference between the two zeros; the integers do.
        int[] column = [.. updates.Select(update => OrderedBits.Flip(BitConverter.SingleToInt32Bits(update[coordinate]))).Order()];
        return [.. column.Select(OrderedBits.ToSingle)];
    }
}
