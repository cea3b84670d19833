using FedServerless.Compression;
using FedServerless.Wire;

namespace FedServerless.Core.Tests.Compression;

public sealed class RandomKCodecTests
{
    private static readonly UpdateSpec Update = new() { Codec = UpdateCodecs.RandomK, Keep = 0.1, MaskSeed = 5 };

    [Fact]
    public void Encode_TwoClients_SendTheSameCoordinates()
    {
        var codec = UpdateCodecs.Of(Update).ForBlock(3);

        Assert.Equal(Sent(codec, 1000), Sent(UpdateCodecs.Of(Update).ForBlock(3), 1000));
    }

    [Fact]
    public void ForBlock_OtherBlockOrSeed_HasAnotherMask()
    {
        var mask = Sent(UpdateCodecs.Of(Update), 1000);

        Assert.NotEqual(mask, Sent(UpdateCodecs.Of(Update).ForBlock(1), 1000));
        Assert.NotEqual(mask, Sent(UpdateCodecs.Of(Update with { MaskSeed = 6 }), 1000));
        Assert.Equal(mask, Sent(UpdateCodecs.Of(Update).ForBlock(1).ForBlock(0), 1000));
    }

    [Theory]
    [InlineData(1, 1e-6, 1)]
    [InlineData(999, 0.1, 100)]
    [InlineData(1000, 0.1, 100)]
    [InlineData(1001, 0.1, 101)]
    [InlineData(1001, 1, 1001)]
    public void EncodedLength_Share_IsRoundedUpAndFixed(int coordinates, double keep, int kept)
    {
        var codec = UpdateCodecs.Of(Update with { Keep = keep });

        Assert.Equal((4 * kept, 4 * kept), codec.EncodedLength(coordinates));
        Assert.Equal(kept, Sent(codec, coordinates).Count);
        Assert.False(codec.TryDecode(new byte[(4 * kept) + 4], new float[coordinates]));
        Assert.False(codec.TryDecode(new byte[(4 * kept) - 1], new float[coordinates]));
    }

    [Fact]
    public void Encode_ManyRounds_EveryCoordinateHasItsShare()
    {
        const int rounds = 4000;
        var counts = new int[64];
        for (var round = 0; round < rounds; round++)
        {
            foreach (var index in Sent(UpdateCodecs.Of(Update with { Keep = 0.25, MaskSeed = round }), 64))
            {
                counts[index]++;
            }
        }

        // Binomial(4000, 1/4): five standard deviations are 137.
        Assert.All(counts, count => Assert.InRange(count, 863, 1137));
        Assert.Equal(16 * rounds, counts.Sum());
    }

    /// <summary>What a block of ones decodes to where they were sent.</summary>
    private static List<int> Sent(IUpdateCodec codec, int coordinates)
    {
        var values = Enumerable.Repeat(1f, coordinates).ToArray();
        var block = new byte[codec.EncodedLength(coordinates).Max];
        Assert.Equal(block.Length, codec.Encode(values, block));
        var decoded = new float[coordinates];
        Assert.True(codec.TryDecode(block, decoded));
        return [.. decoded.Index().Where(value => value.Item != 0).Select(value => value.Index)];
    }
}
