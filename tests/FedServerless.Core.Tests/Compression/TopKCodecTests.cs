using System.Buffers.Binary;
using FedServerless.Compression;
using FedServerless.Wire;

namespace FedServerless.Core.Tests.Compression;

public sealed class TopKCodecTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(16, 1)]
    [InlineData(17, 5)]
    [InlineData(1000, 10)]
    [InlineData(1000, 62)]
    [InlineData(1000, 63)]
    [InlineData(1000, 999)]
    [InlineData(1000, 1000)]
    [InlineData(100_000, 1)]
    [InlineData(100_000, 1000)]
    [InlineData(100_000, 6251)]
    [InlineData(300_001, 3001)]
    public void Take_AnyShare_IsTheLargestAndOfEqualsTheFirst(int length, int keep)
    {
        foreach (var distinct in new[] { 3, 40, int.MaxValue })
        {
            var deltas = Values(length, distinct, seed: length ^ keep);

            Assert.Equal(Expected(deltas, keep), Taken(new UpdateDeltas(deltas, []), keep, blockLength: 1024));
        }
    }

    [Theory]
    [InlineData(200_000, 2000)]
    [InlineData(200_000, 20_000)]
    public void Take_BeforeAndAfter_IsThatOfTheDifferences(int length, int keep)
    {
        var (start, trained) = (Values(length, int.MaxValue, 1), Values(length, int.MaxValue, 2));
        float[] deltas = [.. trained.Zip(start, (after, before) => after - before)];

        Assert.Equal(Expected(deltas, keep), Taken(new UpdateDeltas(trained, start), keep, 65_536));
    }

    [Fact]
    public void Take_SampleSawOnlyLargeValues_IsStillExact()
    {
        // Sampled runs begin at multiples of 3 000 000 / 4096; everything large stands there, so the sample's bound is far too high.
        const int length = 3_000_000;
        var deltas = Values(length, int.MaxValue, 3);
        for (var run = 0; run < 4096; run++)
        {
            for (var i = 0; i < 16; i++)
            {
                deltas[(int)((long)run * length / 4096) + i] += 100;
            }
        }

        Assert.Equal(Expected(deltas, 100_000), Taken(new UpdateDeltas(deltas, []), 100_000, 65_536));
    }

    [Fact]
    public void Take_SampleSawOnlySmallValues_IsStillExact()
    {
        const int length = 3_000_000;
        var deltas = Values(length, int.MaxValue, 4);
        for (var run = 0; run < 4096; run++)
        {
            deltas.AsSpan((int)((long)run * length / 4096), 16).Clear();
        }

        Assert.Equal(Expected(deltas, 30_000), Taken(new UpdateDeltas(deltas, []), 30_000, 65_536));
    }

    [Theory]
    [InlineData(100_000, 1000)]
    [InlineData(1000, 900)]
    public void Take_FewerThanKAreNotZero_TakesThoseOnly(int length, int keep)
    {
        var deltas = new float[length];
        (deltas[7], deltas[^1], deltas[99]) = (-float.Epsilon, 1e-30f, -0f);

        Assert.Equal([(7, -float.Epsilon), (length - 1, 1e-30f)], Taken(new UpdateDeltas(deltas, []), keep, 1024));
    }

    [Theory]
    [InlineData(UpdateCodecs.TopK, 1)]
    [InlineData(UpdateCodecs.TopKInt8, 1)]
    [InlineData(UpdateCodecs.TopK, 33)]
    [InlineData(UpdateCodecs.TopKFloat16, 1000)]
    [InlineData(UpdateCodecs.TopKInt8, 65_536)]
    public void EncodedLength_WhateverIsKept_IsABound(string name, int length)
    {
        foreach (var keep in new[] { 1e-6, 0.01, 0.5, 1 })
        {
            var codec = UpdateCodecs.Of(new UpdateSpec { Codec = name, Keep = keep });
            var block = Encode(codec, Values(length, int.MaxValue, 5));
            var (min, max) = codec.EncodedLength(length);

            Assert.InRange(block.Length, min, max);
            Assert.InRange(codec.ExpectedLength(length), block.Length - 64, max);
            Assert.True(codec.MaxUpdateLength(length, 65_536) >= block.Length);
        }
    }

    [Fact]
    public void TryDecode_HandCase_PutsValuesWhereTheyStood()
    {
        // Three values, r = 1, at 2, 3 and 9 of 10.
        var block = HandCase();
        var decoded = new float[10];

        Assert.True(UpdateCodecs.All.Get(UpdateCodecs.TopK).TryDecode(block, decoded));
        Assert.Equal([0, 0, 1.5f, -2, 0, 0, 0, 0, 0, 0.25f], decoded);
    }

    public static TheoryData<string, Func<byte[], byte[]>> Damage => new()
    {
        { "no count", _ => [] },
        { "half a count", block => block[..2] },
        { "a count of 0 with a tail", block => [0, 0, 0, 0, .. block[4..]] },
        { "a count of 0 with an r", _ => [0, 0, 0, 1] },
        { "a count above the coordinates", block => Set(block, 11 | (1u << 24)) },
        { "the largest count", block => Set(block, 0x00FF_FFFF) },
        { "one value fewer", block => Set(block, 2 | (1u << 24)) },
        { "one value more", block => Set(block, 4 | (1u << 24)) },
        { "an r of 17", block => Set(block, 3 | (17u << 24)) },
        { "an r of 255", block => Set(block, 3 | (255u << 24)) },
        { "another r", block => Set(block, 3 | (2u << 24)) },
        { "a NaN", block => [.. block[..4], .. BitConverter.GetBytes(float.NaN), .. block[8..]] },
        { "an infinity", block => [.. block[..8], .. BitConverter.GetBytes(float.NegativeInfinity), .. block[12..]] },
        { "a byte too few", block => block[..^1] },
        { "a byte too many", block => [.. block, 0] },
        { "a bit after the last place", block => [.. block[..^1], (byte)(block[^1] | 0x80)] },
        { "a bit after the last remainder", block => [.. block[..^2], (byte)(block[^2] | 0x80), block[^1]] },
        { "a place too far", block => [.. block[..^1], 0x46] },
    };

    [Theory]
    [MemberData(nameof(Damage))]
    public void TryDecode_Damaged_IsRefused(string what, Func<byte[], byte[]> damage) =>
        Assert.False(UpdateCodecs.All.Get(UpdateCodecs.TopK).TryDecode(damage(HandCase()), new float[10]), what);

    [Theory]
    [InlineData(0x7FC0_0000u)]
    [InlineData(0x7F80_0000u)]
    [InlineData(0xBF80_0000u)]
    [InlineData(0x8000_0000u)]
    public void TryDecode_ScaleOfTheValuesIsIllegal_IsRefused(uint scale)
    {
        var codec = UpdateCodecs.All.Get(UpdateCodecs.TopKInt8);
        var block = Encode(codec, Values(1000, int.MaxValue, 6));
        BinaryPrimitives.WriteUInt32LittleEndian(block.AsSpan(4), scale);

        Assert.False(codec.TryDecode(block, new float[1000]));
    }

    [Fact]
    public void Of_ParameterOutOfRange_Throws()
    {
        Assert.Throws<ArgumentException>(() => UpdateCodecs.Of(new UpdateSpec { Codec = UpdateCodecs.Int8, Rounding = "up" }));
        Assert.Throws<ArgumentException>(() => UpdateCodecs.Of(new UpdateSpec { Codec = UpdateCodecs.TopK, Keep = 0 }));
        Assert.Throws<ArgumentException>(() => UpdateCodecs.Of(new UpdateSpec { Codec = UpdateCodecs.RandomK, Keep = Math.BitIncrement(1.0) }));
        Assert.Throws<ArgumentException>(() => UpdateCodecs.Of(new UpdateSpec { Codec = UpdateCodecs.RandomK, Keep = double.NaN }));
    }

    private static byte[] HandCase() =>
        [3, 0, 0, 1, .. BitConverter.GetBytes(1.5f), .. BitConverter.GetBytes(-2f), .. BitConverter.GetBytes(0.25f), 0x04, 0x26];

    private static byte[] Set(byte[] block, uint head)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(block, head);
        return block;
    }

    private static byte[] Encode(IUpdateCodec codec, float[] values)
    {
        var block = new byte[codec.EncodedLength(values.Length).Max];
        return block[..codec.Encode(values, block)];
    }

    /// <summary>The definition, by sorting everything.</summary>
    private static IEnumerable<(int Index, float Value)> Expected(float[] deltas, int keep) => deltas.Index()
        .OrderByDescending(delta => Math.Abs(delta.Item)).ThenBy(delta => delta.Index).Take(keep)
        .Where(delta => delta.Item != 0).OrderBy(delta => delta.Index);

    private static List<(int Index, float Value)> Taken(UpdateDeltas deltas, int keep, int blockLength)
    {
        var selection = TopKSelection.Of(deltas, keep);
        var taken = new List<(int, float)>();
        for (var first = 0; first < deltas.Length; first += blockLength)
        {
            var length = Math.Min(blockLength, deltas.Length - first);
            selection.Take(selection.NeedsValues ? deltas.Read(first, length, new float[length]) : [], first, length, out var indices, out var values);
            for (var i = 0; i < indices.Length; i++)
            {
                taken.Add((first + indices[i], values[i]));
            }
        }

        return taken;
    }

    private static float[] Values(int length, int distinct, int seed)
    {
        var random = new Random(seed);
        var values = new float[length];
        for (var i = 0; i < length; i++)
        {
            var magnitude = distinct == int.MaxValue ? random.NextSingle() * random.NextSingle() : random.Next(distinct) / 64f;
            values[i] = random.Next(2) == 0 ? magnitude : -magnitude;
        }

        return values;
    }
}
