using System.Buffers.Binary;
using FedServerless.Compression;

namespace FedServerless.Core.Tests.Compression;

public sealed class Float16CodecTests
{
    private const int Finite = 0x7C00;
    private static readonly IUpdateCodec Codec = UpdateCodecs.All.Get(UpdateCodecs.Float16);

    [Fact]
    public void TryDecode_EveryFiniteBitPattern_GivesTheValueOfItsFields()
    {
        var patterns = Enumerable.Range(0, Finite).SelectMany(bits => new[] { (ushort)bits, (ushort)(bits | 0x8000) }).ToArray();

        var decoded = new float[patterns.Length];
        Assert.True(Codec.TryDecode(Bytes(patterns), decoded));

        for (var i = 0; i < patterns.Length; i++)
        {
            Assert.Equal(BitConverter.SingleToInt32Bits(FromFields(patterns[i])), BitConverter.SingleToInt32Bits(decoded[i]));
        }
    }

    [Theory]
    [InlineData(0x7C00)]
    [InlineData(0xFC00)]
    [InlineData(0x7C01)]
    [InlineData(0x7E00)]
    [InlineData(0xFFFF)]
    public void TryDecode_NonFiniteAnywhere_IsRefused(int pattern)
    {
        for (var length = 1; length < 70; length += 4)
        {
            for (var at = 0; at < length; at++)
            {
                var patterns = new ushort[length];
                patterns[at] = (ushort)pattern;

                Assert.False(Codec.TryDecode(Bytes(patterns), new float[length]));
            }
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(1 << 20)]
    public void Encode_BetweenEveryTwoNeighbours_RoundsToTheNearestAndTiesToEven(int blockLength)
    {
        // Midpoints have 12 significant bits, so they and their float32 neighbours are exact.
        var values = new List<float>();
        var expected = new List<ushort>();
        for (ushort low = 0; low < Finite - 1; low++)
        {
            var high = (ushort)(low + 1);
            var middle = (FromFields(low) + FromFields(high)) / 2;
            values.AddRange([FromFields(low), MathF.BitDecrement(middle), middle, MathF.BitIncrement(middle), -middle]);
            var even = low % 2 == 0 ? low : high;
            expected.AddRange([low, low, even, high, (ushort)(even | 0x8000)]);
        }

        foreach (var (block, halves) in values.Chunk(blockLength).Zip(expected.Chunk(blockLength)))
        {
            var bytes = new byte[2 * block.Length];
            Assert.Equal(bytes.Length, Codec.Encode(block, bytes));
            Assert.True(Bytes(halves).AsSpan().SequenceEqual(bytes));
        }
    }

    [Theory]
    [InlineData(65504f, 0x7BFF)]
    [InlineData(65519.996f, 0x7BFF)]
    [InlineData(65520f, 0x7BFF)]
    [InlineData(float.MaxValue, 0x7BFF)]
    [InlineData(-65536f, 0xFBFF)]
    [InlineData(-float.MaxValue, 0xFBFF)]
    [InlineData(float.Epsilon, 0x0000)]
    [InlineData(-0f, 0x8000)]
    public void Encode_Extremes_SaturateOrFlush(float value, int expected)
    {
        for (var length = 1; length < 70; length += 17)
        {
            var values = new float[length];
            Array.Fill(values, value);
            var bytes = new byte[2 * length];
            Codec.Encode(values, bytes);

            Assert.Equal(Bytes(Enumerable.Repeat((ushort)expected, length).ToArray()), bytes);
        }
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(1)]
    public void TryDecode_OtherLength_IsRefused(int difference) =>
        Assert.False(Codec.TryDecode(new byte[20 + difference], new float[10]));

    private static byte[] Bytes(ushort[] patterns)
    {
        var bytes = new byte[2 * patterns.Length];
        for (var i = 0; i < patterns.Length; i++)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(2 * i), patterns[i]);
        }

        return bytes;
    }

    /// <summary>IEEE 754 binary16 by its definition: (−1)^s · 2^(e−15) · 1.m, or 2^−14 · 0.m where e is 0.</summary>
    private static float FromFields(ushort pattern)
    {
        var exponent = (pattern >> 10) & 31;
        var mantissa = pattern & 1023;
        var magnitude = exponent == 0 ? Math.ScaleB(mantissa, -24) : Math.ScaleB(1024 + mantissa, exponent - 25);
        return (float)((pattern & 0x8000) == 0 ? magnitude : -magnitude);
    }
}
