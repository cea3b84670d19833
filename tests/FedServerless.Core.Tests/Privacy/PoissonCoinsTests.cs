using FedServerless.Privacy;

namespace FedServerless.Core.Tests.Privacy;

public class PoissonCoinsTests
{
    private const int Coins = 100_000;

    // PITFALLS 1: independent coins, so that the cohort's size varies as a binomial's does: at q = 0.25 of 400 the variance is 75.
    [Fact]
    public void Toss_ManyCohorts_VaryInSizeAsABinomial()
    {
        var (entropy, isIn, sum, squares) = (new SeededEntropy(1), new bool[400], 0.0, 0.0);
        const int Cohorts = 4000;
        for (var cohort = 0; cohort < Cohorts; cohort++)
        {
            PoissonCoins.Toss(0.25, isIn, entropy);
            var size = isIn.Count(heads => heads) - 100.0;
            (sum, squares) = (sum + size, squares + (size * size));
        }

        Assert.InRange(sum / Math.Sqrt(75.0 * Cohorts), -NoiseStatistics.Critical, NoiseStatistics.Critical);

        // Kurtosis is close to 3, so that Σx²/75 has variance 2n.
        Assert.InRange((squares / 75 - Cohorts) / Math.Sqrt(2.0 * Cohorts), -NoiseStatistics.Critical, NoiseStatistics.Critical);
    }

    [Theory]
    [InlineData(0.001)]
    [InlineData(0.5)]
    [InlineData(0.999)]
    public void Toss_OperatingSystem_HasTheRate(double rate)
    {
        var isIn = new bool[Coins];

        PoissonCoins.Toss(rate, isIn);

        var score = (isIn.Count(heads => heads) - (rate * Coins)) / Math.Sqrt(rate * (1 - rate) * Coins);
        Assert.InRange(score, -NoiseStatistics.Critical - 1, NoiseStatistics.Critical + 1);
    }

    [Fact]
    public void Toss_RateOfOne_TakesEverybody()
    {
        var isIn = new bool[1000];

        PoissonCoins.Toss(1, isIn);

        Assert.All(isIn, Assert.True);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-0.1)]
    [InlineData(1.0000001)]
    [InlineData(double.NaN)]
    public void Toss_NoRate_IsRefused(double rate) => Assert.Throws<ArgumentOutOfRangeException>(() => PoissonCoins.Toss(rate, new bool[1]));
}
