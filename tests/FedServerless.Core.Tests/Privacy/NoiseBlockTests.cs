using FedServerless.Privacy;

namespace FedServerless.Core.Tests.Privacy;

public class NoiseBlockTests
{
    private const int Draws = 20_000;

    // PITFALLS 6.
    // PITFALLS 9: every block has the full deviation z·2ᵏ; a block of a quarter, or a fourth of the noise, would be seen.
    [Theory]
    [InlineData(1, 12)]
    [InlineData(0.5, 14)]
    [InlineData(3.7, 12)]
    public void Add_AnyBlock_HasTheDeviationOfTheGrid(double noise, int bits)
    {
        var sums = new long[Draws];

        NoiseBlock.Add(sums, noise, new UpdateGrid(5, bits), new SeededEntropy(bits));

        Assert.InRange(NoiseStatistics.Variance(sums, noise * (1 << bits)), -NoiseStatistics.Critical, NoiseStatistics.Critical);
        Assert.NotInRange(NoiseStatistics.Variance(sums, noise * (1 << bits) / 4), -NoiseStatistics.Critical, NoiseStatistics.Critical);
    }

    // PITFALLS 9: blocks, and a retry of the same block, draw anew, from the operating system.
    [Fact]
    public void Add_Again_IsAnotherDraw()
    {
        var (one, other) = (new long[Draws], new long[Draws]);

        NoiseBlock.Add(one, 1, new UpdateGrid(1, 12));
        NoiseBlock.Add(other, 1, new UpdateGrid(1, 12));

        Assert.InRange(NoiseStatistics.Correlation(one, other, 4096), -NoiseStatistics.Critical, NoiseStatistics.Critical);
        Assert.NotInRange(NoiseStatistics.Correlation(one, one, 4096), -NoiseStatistics.Critical, NoiseStatistics.Critical);
    }

    [Fact]
    public void Add_SumsThatHoldSomething_KeepsIt()
    {
        var (empty, full) = (new long[100], Enumerable.Repeat(1L << 40, 100).ToArray());

        NoiseBlock.Add(empty, 1, new UpdateGrid(1, 12), new SeededEntropy(1));
        NoiseBlock.Add(full, 1, new UpdateGrid(1, 12), new SeededEntropy(1));

        Assert.Equal(empty.Select(value => value + (1L << 40)), full);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(double.NaN)]
    [InlineData(0.009)]
    [InlineData(1_000_001)]
    public void Add_NoNoise_IsRefused(double noise) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => NoiseBlock.Add(new long[1], noise, new UpdateGrid(1, 12)));

    // PITFALLS 8: bits count as ±½, that is ±2ᵏ steps of 2^−(k+1), so that σ_b on the count is 2σ_b·2ᵏ steps.
    [Fact]
    public void AddToBits_ManyRounds_HasTheDeviationOfTheCount()
    {
        var (clip, grid, entropy) = (new AdaptiveClip(1, 3), new UpdateGrid(1, 12), new SeededEntropy(3));

        var bits = Enumerable.Range(0, 5000).Select(_ => NoiseBlock.AddToBits(1000, clip, grid, entropy) - 1000).ToArray();

        Assert.InRange(NoiseStatistics.Variance(bits, 6 * 4096), -NoiseStatistics.Critical, NoiseStatistics.Critical);
    }
}
