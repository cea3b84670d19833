using FedServerless.Compression;
using FedServerless.Wire;

namespace FedServerless.Core.Tests.Compression;

public sealed class SparseWarmUpTests
{
    // Lin et al. 2018 (arXiv:1712.01887), section 3.3: gradient sparsity of 93.75, 98.4375, 99.6 and 99.9 % after its first of 75 %, a quarter as much each time.
    [Theory]
    [InlineData(1, 1 / 16.0)]
    [InlineData(2, 1 / 64.0)]
    [InlineData(3, 1 / 256.0)]
    [InlineData(4, 1 / 1024.0)]
    [InlineData(5, 1 / 4096.0)]
    [InlineData(6, 1 / 4096.0)]
    public void InRound_FourRoundsToTheSixthQuarter_KeepsAQuarterAsMuchEachTime(int round, double share)
    {
        var update = SparseWarmUp.InRound(new UpdateSpec { Codec = UpdateCodecs.TopKInt8, Keep = 1 / 4096.0, WarmUpRounds = 4 }, round);

        Assert.Equal(share, update.Keep!.Value, 1e-12);
        Assert.Null(update.WarmUpRounds);
    }

    [Fact]
    public void InRound_NoShareGiven_EndsAtTheDefault()
    {
        var update = new UpdateSpec { Codec = UpdateCodecs.RandomK, WarmUpRounds = 1 };

        Assert.Equal(Math.Sqrt(0.25 * UpdateCodecs.DefaultKeep), SparseWarmUp.InRound(update, 1).Keep!.Value, 1e-12);
        Assert.Null(SparseWarmUp.InRound(update, 2).Keep);
    }

    [Theory]
    [InlineData("top-k", 0.25)]
    [InlineData("top-k", 1.0)]
    [InlineData("int8", 0.01)]
    public void InRound_NothingToWarmUp_KeepsTheShare(string codec, double keep) =>
        Assert.Equal(keep, SparseWarmUp.InRound(new UpdateSpec { Codec = codec, Keep = keep, WarmUpRounds = 9 }, 1).Keep);

    [Fact]
    public void InRound_NoWarmUp_ChangesNothing()
    {
        var update = new UpdateSpec { Codec = UpdateCodecs.TopK, Keep = 0.02 };

        Assert.Equal(update, SparseWarmUp.InRound(update, 1));
    }
}
