using System.Buffers.Binary;
using FedServerless.Compression;
using FedServerless.Wire;

namespace FedServerless.Core.Tests.Compression;

public sealed class GroupedCodecTests
{
    private static readonly string[] Names = [UpdateCodecs.Int4, UpdateCodecs.Ternary, UpdateCodecs.Sign];

    public static TheoryData<string, int> Lengths
    {
        get
        {
            var rows = new TheoryData<string, int>();
            foreach (var name in Names)
            {
                foreach (var length in new[] { 1, 2, 5, 7, 8, 9, 63, 1279, 1280, 1281, 4096, 65_536 })
                {
                    rows.Add(name, length);
                }
            }

            return rows;
        }
    }

    [Fact]
    public void Encode_HandCases_HaveTheDocumentedBytes()
    {
        Assert.Equal("0000803F" + "9704", Hex(UpdateCodecs.Int4, 7, -7, 4.5f)); // 7 | 9 << 4, 4: halves to even
        Assert.Equal("00000040" + "C879", Hex(UpdateCodecs.Ternary, 2, -2, 0, 0, 2, 0)); // 2 + 0 + 9 + 27 + 162, and all ones
        Assert.Equal("00000040" + "02", Hex(UpdateCodecs.Sign, 1, -3, 2));
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public void TryDecode_WhatWasEncoded_IsWithinWhatTheCodecPromises(string name, int length)
    {
        var codec = UpdateCodecs.All.Get(name);
        var values = Values(length);
        var block = Encode(codec, values);
        var decoded = new float[length];

        Assert.Equal(codec.EncodedLength(length), (block.Length, block.Length));
        Assert.True(codec.TryDecode(block, decoded));
        for (var first = 0; first < length; first += GroupedCodec.Group)
        {
            var group = values.AsSpan(first, Math.Min(GroupedCodec.Group, length - first)).ToArray();
            var (max, mean) = (group.Max(MathF.Abs), group.Average(value => Math.Abs((double)value)));
            foreach (var (value, read) in group.Zip(decoded[first..]))
            {
                var legal = name switch
                {
                    UpdateCodecs.Int4 => Math.Abs(value - read) <= max / 7 * 0.50001,
                    UpdateCodecs.Ternary => read == 0 || read == MathF.CopySign(max, value),
                    _ => Math.Abs(read - Math.CopySign(mean, value)) <= mean * 1e-6,
                };
                Assert.True(legal, $"{value} became {read}");
            }
        }
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public void TryDecode_PaddingIsNotZero_IsRefused(string name, int length)
    {
        var codec = UpdateCodecs.All.Get(name);
        var block = Encode(codec, Values(length));
        var (values, one) = name switch { UpdateCodecs.Int4 => (2, 0x10), UpdateCodecs.Ternary => (5, 0), _ => (8, 0x80) };
        if (length % values == 0)
        {
            return;
        }

        // The last place of the last byte: in base 3 its zero is a one times 81.
        block[^1] = one == 0 ? (byte)(block[^1] - 81) : (byte)(block[^1] | one);

        Assert.False(codec.TryDecode(block, new float[length]));
    }

    [Theory]
    [InlineData(UpdateCodecs.Int4, 0x08)]
    [InlineData(UpdateCodecs.Int4, 0x80)]
    [InlineData(UpdateCodecs.Ternary, 243)]
    [InlineData(UpdateCodecs.Ternary, 255)]
    public void TryDecode_LevelThatDoesNotExist_IsRefusedWherever(string name, byte level)
    {
        var codec = UpdateCodecs.All.Get(name);
        var clean = Encode(codec, new float[2000]);
        for (var at = 8; at < clean.Length; at++)
        {
            var block = clean.ToArray();
            block[at] = level;

            Assert.False(codec.TryDecode(block, new float[2000]), $"byte {at}");
        }
    }

    [Theory]
    [InlineData(UpdateCodecs.Int4)]
    [InlineData(UpdateCodecs.Ternary)]
    [InlineData(UpdateCodecs.Sign)]
    public void TryDecode_ScaleOrLengthIsIllegal_IsRefused(string name)
    {
        var codec = UpdateCodecs.All.Get(name);
        var clean = Encode(codec, Values(2000));
        foreach (var scale in new[] { float.NaN, float.PositiveInfinity, -1f, -0f })
        {
            var block = clean.ToArray();
            BinaryPrimitives.WriteSingleLittleEndian(block.AsSpan(4), scale);

            Assert.False(codec.TryDecode(block, new float[2000]), $"{scale}");
        }

        Assert.False(codec.TryDecode(clean.AsSpan()[..^1], new float[2000]));
        Assert.False(codec.TryDecode([.. clean, 0], new float[2000]));
    }

    [Theory]
    [InlineData(UpdateCodecs.Int4)]
    [InlineData(UpdateCodecs.Ternary)]
    [InlineData(UpdateCodecs.Sign)]
    public void TryDecode_LargestMagnitudes_StayFinite(string name)
    {
        var codec = UpdateCodecs.All.Get(name);
        float[] values = [float.MaxValue, -float.MaxValue, MathF.BitDecrement(float.MaxValue), 0];
        var decoded = new float[4];

        Assert.True(codec.TryDecode(Encode(codec, values), decoded));
        Assert.All(decoded, value => Assert.True(float.IsFinite(value)));
    }

    [Theory]
    [InlineData(UpdateCodecs.Int8)]
    [InlineData(UpdateCodecs.Int4)]
    [InlineData(UpdateCodecs.Ternary)]
    [InlineData(UpdateCodecs.RandomKInt8)]
    [InlineData(UpdateCodecs.TopKInt8)]
    public void Encode_Stochastic_HasTheValueForItsExpectation(string name)
    {
        const int rounds = 2000;
        var codec = UpdateCodecs.Of(new UpdateSpec { Codec = name, Rounding = UpdateRoundings.Stochastic, Keep = 1 });
        float[] values = [1, -0.37f, 0.001f, -0.001f, 0.5f, 0.9999f, 0, -0.73f, 0.12f];
        var means = new double[values.Length];
        var block = new byte[codec.EncodedLength(values.Length).Max];
        var decoded = new float[values.Length];
        for (var round = 0; round < rounds; round++)
        {
            Assert.True(codec.TryDecode(block.AsSpan(0, codec.Encode(values, block, round)), decoded));
            for (var i = 0; i < means.Length; i++)
            {
                means[i] += decoded[i] / (double)rounds;
            }
        }

        // One draw is off by at most a level; five standard deviations of a Bernoulli mean.
        var level = name == UpdateCodecs.Ternary ? 1.0 : name == UpdateCodecs.Int4 ? 1 / 7.0 : 1 / 127.0;
        Assert.All(values.Zip(means), pair => Assert.True(Math.Abs(pair.First - pair.Second) <= (5 * 0.5 * level / Math.Sqrt(rounds)) + 1e-6));
    }

    [Fact]
    public void Encode_Stochastic_DependsOnTheSeedAlone()
    {
        var codec = UpdateCodecs.Of(new UpdateSpec { Codec = UpdateCodecs.Int8, Rounding = UpdateRoundings.Stochastic });
        var values = Values(1000);

        Assert.Equal(Encode(codec, values, 7), Encode(codec, values, 7));
        Assert.NotEqual(Encode(codec, values, 7), Encode(codec, values, 8));
        Assert.NotEqual(Encode(codec, values, 7), Encode(codec, values, 7L << 32));
        Assert.True(codec.TryDecode(Encode(codec, values, 7), new float[1000]));
    }

    [Fact]
    public void Draw_AnyLane_IsTheNumberAtItsIndex()
    {
        var lots = new Lots(-3, first: 1280);
        for (var index = 0; index < 100; index++)
        {
            var drawn = lots.Draw(index);
            for (var lane = 0; lane < System.Numerics.Vector<float>.Count; lane++)
            {
                Assert.Equal(lots[index + lane], drawn[lane]);
                Assert.InRange(drawn[lane], 0, MathF.BitDecrement(1));
            }
        }

        Assert.Equal(lots[5], new Lots(-3)[1285]);
    }

    private static string Hex(string name, params float[] values) => Convert.ToHexString(Encode(UpdateCodecs.All.Get(name), values));

    private static byte[] Encode(IUpdateCodec codec, float[] values, long chance = 0)
    {
        var block = new byte[codec.EncodedLength(values.Length).Max];
        return block[..codec.Encode(values, block, chance)];
    }

    private static float[] Values(int length)
    {
        var random = new Random(length);
        return [.. Enumerable.Range(0, length).Select(_ => (random.NextSingle() - 0.5f) * random.NextSingle())];
    }
}
