using FedServerless.Compression;

namespace FedServerless.Core.Tests.Compression;

public sealed class Float32CodecTests
{
    private static readonly IUpdateCodec Codec = UpdateCodecs.All.Get(UpdateCodecs.Float32);

    [Fact]
    public void Encode_HandCase_IsLittleEndian()
    {
        var block = new byte[12];

        Assert.Equal(12, Codec.Encode([1f, -0f, -float.Epsilon], block));

        Assert.Equal("0000803F" + "00000080" + "01000080", Convert.ToHexString(block));
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void TryDecode_NonFiniteAnywhere_IsRefused(float value)
    {
        for (var length = 1; length < 40; length += 3)
        {
            for (var at = 0; at < length; at++)
            {
                var values = new float[length];
                values[at] = value;
                var block = new byte[4 * length];
                Codec.Encode(values, block);

                Assert.False(Codec.TryDecode(block, new float[length]));
            }
        }
    }

    [Fact]
    public void TryDecode_LargestMagnitudes_AreKept()
    {
        float[] values = [.. Enumerable.Repeat(float.MaxValue, 20), .. Enumerable.Repeat(-float.MaxValue, 20)];
        var block = new byte[4 * values.Length];
        Codec.Encode(values, block);
        var decoded = new float[values.Length];

        Assert.True(Codec.TryDecode(block, decoded));
        Assert.Equal(values, decoded);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(1)]
    public void TryDecode_OtherLength_IsRefused(int difference) =>
        Assert.False(Codec.TryDecode(new byte[40 + difference], new float[10]));
}
