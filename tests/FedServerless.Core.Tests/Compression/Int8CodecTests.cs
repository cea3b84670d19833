using System.Buffers.Binary;
using FedServerless.Compression;

namespace FedServerless.Core.Tests.Compression;

public sealed class Int8CodecTests
{
    private static readonly IUpdateCodec Codec = UpdateCodecs.All.Get(UpdateCodecs.Int8);

    [Fact]
    public void Encode_HandCase_RoundsHalvesToEven()
    {
        // max|x| = 127, so the scale is exactly 1 (3F800000).
        float[] values = [-127, 0.5f, 1.5f, 2.5f, -0.5f, -1.5f, 126.5f];

        Assert.Equal("0000803F" + "81000202" + "00FE7E", Convert.ToHexString(Encode(values)));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(15)]
    [InlineData(16)]
    [InlineData(17)]
    [InlineData(31)]
    [InlineData(32)]
    [InlineData(33)]
    [InlineData(63)]
    [InlineData(64)]
    [InlineData(65)]
    [InlineData(1000)]
    public void Encode_AnyLength_EqualsTheFormulaOneValueAtATime(int length)
    {
        var random = new Random(length);
        for (var round = 0; round < 50; round++)
        {
            var values = Values(random, length, exponent: random.Next(-140, 127));
            var scale = values.Max(MathF.Abs) / 127f;
            var expected = values.Select(value =>
                scale == 0 ? (byte)0 : (byte)(sbyte)Math.Clamp(MathF.Round(value / scale, MidpointRounding.ToEven), -127, 127));

            var block = Encode(values);

            Assert.Equal(scale, BinaryPrimitives.ReadSingleLittleEndian(block));
            Assert.Equal(expected, block[4..]);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(33)]
    [InlineData(4096)]
    public void TryDecode_WhatWasEncoded_IsWithinHalfAStep(int length)
    {
        var random = new Random(length);
        for (var round = 0; round < 50; round++)
        {
            // Exponents for which the scale is a normal number; below, a step is the smallest float there is.
            var values = Values(random, length, exponent: random.Next(-110, 126));
            var step = values.Max(MathF.Abs) / 127.0;

            var decoded = Decode(Encode(values));

            for (var i = 0; i < length; i++)
            {
                Assert.True(Math.Abs((double)values[i] - decoded[i]) <= (0.5 + 1e-4) * step);
            }
        }
    }

    [Theory]
    [InlineData(0f)]
    [InlineData(float.Epsilon)]
    [InlineData(63 * float.Epsilon)]
    public void Encode_ZeroOrNearlySo_GivesScaleZero(float value)
    {
        float[] values = [value, -value, 0];

        Assert.Equal("00000000000000", Convert.ToHexString(Encode(values)));
    }

    [Theory]
    [InlineData(64)]
    [InlineData(95)]
    [InlineData(190)]
    [InlineData(191)]
    public void Encode_SubnormalScale_ClampsInsteadOfWrapping(int units)
    {
        // The scale rounds to 1 unit up to 190.5, so the quotient alone would reach 190 and wrap.
        var values = Enumerable.Repeat(new[] { units * float.Epsilon, -units * float.Epsilon }, 40).SelectMany(pair => pair).ToArray();

        var block = Encode(values);

        var level = (int)Math.Min(127, Math.Round(units / Math.Round(units / 127.0)));
        Assert.Equal((byte)level, block[4]);
        Assert.Equal((byte)-level, block[5]);
        Assert.Equal((byte)-level, block[^1]);
    }

    [Fact]
    public void Encode_LargestMagnitudes_DecodeToFiniteValues()
    {
        var value = float.MaxValue;
        for (var i = 0; i < 1000; i++, value = MathF.BitDecrement(value))
        {
            var decoded = Decode(Encode([value, -value]));

            Assert.InRange(decoded[0] / value, 0.999999, 1.000001);
            Assert.Equal(-decoded[0], decoded[1]);
        }
    }

    [Theory]
    [InlineData(0x7F80_0000u)]
    [InlineData(0x7FC0_0000u)]
    [InlineData(0xFF80_0000u)]
    [InlineData(0xBF80_0000u)]
    [InlineData(0x8000_0000u)]
    [InlineData(0x8000_0001u)]
    [InlineData(0x7F7F_FFFFu)]
    public void TryDecode_IllegalScale_IsRefused(uint scale)
    {
        var block = new byte[4 + 10];
        BinaryPrimitives.WriteUInt32LittleEndian(block, scale);

        Assert.False(Codec.TryDecode(block, new float[10]));
    }

    [Fact]
    public void TryDecode_LargestLegalScale_GivesFiniteValues()
    {
        var block = new byte[4 + 40];
        var scale = MathF.BitDecrement(float.MaxValue / 127);
        BinaryPrimitives.WriteSingleLittleEndian(block, scale);
        block.AsSpan(4).Fill(0x7F);

        Assert.All(Decode(block), value => Assert.True(float.IsFinite(value)));
    }

    [Fact]
    public void TryDecode_LevelMinus128Anywhere_IsRefused()
    {
        for (var at = 0; at < 100; at++)
        {
            var block = new byte[4 + 100];
            block[4 + at] = 0x80;

            Assert.False(Codec.TryDecode(block, new float[100]));
        }
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(1)]
    [InlineData(-13)]
    public void TryDecode_OtherLength_IsRefused(int difference) =>
        Assert.False(Codec.TryDecode(new byte[14 + difference], new float[10]));

    private static byte[] Encode(float[] values)
    {
        var block = new byte[Codec.EncodedLength(values.Length).Max];
        Assert.Equal(block.Length, Codec.Encode(values, block));
        return block;
    }

    private static float[] Decode(byte[] block)
    {
        var decoded = new float[block.Length - 4];
        Assert.True(Codec.TryDecode(block, decoded));
        return decoded;
    }

    private static float[] Values(Random random, int length, int exponent)
    {
        var values = new float[length];
        for (var i = 0; i < length; i++)
        {
            values[i] = MathF.ScaleB(random.NextSingle() - 0.5f, exponent);
        }

        return values;
    }
}
