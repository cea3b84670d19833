using FedServerless.Privacy;

namespace FedServerless.Core.Tests.Privacy;

public class AdaptiveClipTests
{
    // PITFALLS 8.
    // Theorem 1 of the paper, and what it is for: deltas and bits together cost what z costs.
    [Theory]
    [InlineData(1, 10)]
    [InlineData(0.5, 0.26)]
    [InlineData(100, 1000)]
    public void Create_NoiseSplit_CostsTheWhole(double noise, double bitNoise)
    {
        var clip = new AdaptiveClip(noise, bitNoise);

        Assert.Equal(Math.Pow(Math.Pow(noise, -2) - Math.Pow(2 * bitNoise, -2), -0.5), clip.DeltaNoiseMultiplier, 1e-9 * noise);
        var together = Math.Pow(clip.DeltaNoiseMultiplier, -2) + Math.Pow(2 * bitNoise, -2);
        Assert.Equal(noise, 1 / Math.Sqrt(together), 1e-9 * noise);
    }

    [Theory]
    [InlineData(1, 0.5)]
    [InlineData(1, 0.49)]
    [InlineData(1, double.NaN)]
    [InlineData(1, 500_001)]
    [InlineData(1e6, 500_000.0000001)]
    public void Create_BitNoiseThatIsInfeasible_IsRefused(double noise, double bitNoise) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new AdaptiveClip(noise, bitNoise));

    [Theory]
    [InlineData(0, 0.2)]
    [InlineData(1, 0.2)]
    [InlineData(0.5, 0)]
    [InlineData(0.5, 10.1)]
    [InlineData(0.5, double.NaN)]
    public void Create_SettingOutOfRange_IsRefused(double quantile, double learningRate) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new AdaptiveClip(1, 10, quantile, learningRate));

    [Fact]
    public void Next_KnownBits_FollowsThePaper()
    {
        var clip = new AdaptiveClip(1, 5, quantile: 0.4, learningRate: 0.2);
        var grid = new UpdateGrid(2, 12);

        // 30 of an expected 40 below C, 10 above: b̃ = 0.75.
        var bits = (30 * AdaptiveClip.CentredBit(2, grid)) + (10 * AdaptiveClip.CentredBit(2.0001, grid));

        Assert.Equal(2 * Math.Exp(-0.2 * (0.75 - 0.4)), clip.Next(grid, bits, 40), 1e-15);
    }

    [Fact]
    public void Next_NobodyCame_TreatsTheShareAsAHalf() =>
        Assert.Equal(1, new AdaptiveClip(1, 5).Next(new UpdateGrid(1, 12), 0, 40), 1e-15);

    // Norms are log-normal; the clip starts 50 times too large and settles at their median within noise.
    [Fact]
    public void Next_RoundAfterRound_FindsTheQuantile()
    {
        var (clip, grid) = (new AdaptiveClip(1, 10), new UpdateGrid(50, 12));
        var random = new FedServerless.Numerics.DeterministicRandom(1);
        for (var round = 0; round < 200; round++)
        {
            var bits = 0L;
            for (var client = 0; client < 200; client++)
            {
                bits += AdaptiveClip.CentredBit(Math.Exp(random.NextGaussian()), grid);
            }

            var noise = DiscreteGaussian.OnGrid(2 * clip.BitNoise, 12, new SeededEntropy(round));
            grid = new UpdateGrid(clip.Next(grid, bits + noise.Next(), 200), 12);
        }

        Assert.InRange(grid.Clip, 0.75, 1.33);
    }

    [Fact]
    public void Next_NoiseFarOutside_MovesByAtMostTwoShares()
    {
        var clip = new AdaptiveClip(1, 5, quantile: 0.5, learningRate: 1);

        Assert.Equal(Math.Exp(1.5), clip.Next(new UpdateGrid(1, 12), long.MinValue / 2, 1), 1e-14);
        Assert.Equal(Math.Exp(-1.5), clip.Next(new UpdateGrid(1, 12), long.MaxValue / 2, 1), 1e-14);
    }

    [Theory]
    [InlineData(UpdateClip.LeastClip)]
    [InlineData(UpdateClip.LargestClip)]
    public void Next_AtTheEndsOfTheRange_StaysInIt(double start)
    {
        var bits = start < 1 ? long.MaxValue / 4 : long.MinValue / 4;

        Assert.Equal(start, new AdaptiveClip(1, 5).Next(new UpdateGrid(start, 12), bits, 1));
    }

    [Fact]
    public void Exp_AcrossItsRange_IsThePlatformsWithinAFewUnits()
    {
        for (var x = -30.0; x <= 30; x += 0.0371)
        {
            Assert.InRange(AdaptiveClip.Exp(x) / Math.Exp(x), 1 - 1e-15, 1 + 1e-15);
        }
    }

    [Fact]
    public void CreateBitNoise_OnTheGrid_HasTwiceTheDeviationInHalves() =>
        Assert.Equal(2 * 5 * 4096, new AdaptiveClip(1, 5).CreateBitNoise(new UpdateGrid(1, 12)).StandardDeviation, 1e-9);
}
