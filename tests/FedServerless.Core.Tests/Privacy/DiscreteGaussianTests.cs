using System.Numerics;
using FedServerless.Privacy;

namespace FedServerless.Core.Tests.Privacy;

public class DiscreteGaussianTests
{
    private const int Samples = 200_000;

    // PITFALLS 11, 12: one discrete Gaussian, never a sum of some.
    // Seeds are fixed: what passes once passes always. The exact probabilities are summed in the test.
    [Theory]
    [InlineData(1, 16)]
    [InlineData(1, 3)]
    [InlineData(1, 1)]
    [InlineData(10, 3)]
    [InlineData(100, 1)]
    [InlineData(1 << 20, 7)]
    public void Fill_AnyVariance_HasTheExactProbabilities(long numerator, long denominator)
    {
        var deviation = Math.Sqrt((double)numerator / denominator);
        var noise = NoiseStatistics.Draw(new DiscreteGaussian(numerator, denominator, new SeededEntropy(numerator)), Samples);

        Assert.InRange(NoiseStatistics.Shape(noise, deviation), -NoiseStatistics.Critical, NoiseStatistics.Critical);
    }

    // PITFALLS 6: z is over the clip, so the deviation is z·2ᵏ steps, before any division.
    [Theory]
    [InlineData(2, 1)]
    [InlineData(1, 10)]
    [InlineData(1, 20)]
    [InlineData(1.25, 30)]
    [InlineData(0.7231, 24)]
    public void OnGrid_MultiplierAndBits_HasTheirDeviation(double multiplier, int bits)
    {
        if (Math.ScaleB(multiplier, bits) < ReleaseEvent.LeastGridDeviation)
        {
            Assert.Throws<ArgumentOutOfRangeException>(() => DiscreteGaussian.OnGrid(multiplier, bits));
            return;
        }

        var deviation = Math.ScaleB(multiplier, bits);
        var source = DiscreteGaussian.OnGrid(multiplier, bits, new SeededEntropy(bits));
        var noise = NoiseStatistics.Draw(source, Samples);

        Assert.Equal(deviation, source.StandardDeviation, 1e-12 * deviation);
        Assert.InRange(NoiseStatistics.Variance(noise, deviation), -NoiseStatistics.Critical, NoiseStatistics.Critical);
        Assert.InRange(NoiseStatistics.Mean(noise, deviation), -NoiseStatistics.Critical, NoiseStatistics.Critical);
    }

    // The tests above can fail: noise of two per cent too little, of one of k shards, or from a wrong distribution with the right variance is refused.
    [Theory]
    [InlineData(0.98)]
    [InlineData(1.02)]
    [InlineData(0.25)]
    [InlineData(0.7071)]
    public void Variance_OfAnotherDeviation_IsRefused(double factor)
    {
        var deviation = 1024 * factor;
        var noise = NoiseStatistics.Draw(new DiscreteGaussian((BigInteger)(deviation * deviation), 1, new SeededEntropy(5)), Samples);

        Assert.True(Math.Abs(NoiseStatistics.Variance(noise, 1024)) > NoiseStatistics.Critical);
    }

    [Fact]
    public void Shape_OfARoundedRealGaussianOrALaplace_IsRefused()
    {
        // Rounding adds 1/12 to the variance; at σ² = 1 that shows.
        var random = new FedServerless.Numerics.DeterministicRandom(6);
        var rounded = Enumerable.Range(0, Samples).Select(_ => (long)Math.Round(random.NextGaussian())).ToArray();

        Assert.True(NoiseStatistics.Shape(rounded, 1) > NoiseStatistics.Critical);
    }

    [Fact]
    public void Fill_TwoInstancesAndTwoBlocks_AreIndependentOnTheSystemsEntropy()
    {
        var (first, second) = (NoiseStatistics.Draw(DiscreteGaussian.OnGrid(1, 12), Samples), NoiseStatistics.Draw(DiscreteGaussian.OnGrid(1, 12), Samples));

        Assert.InRange(NoiseStatistics.Correlation(first, second, 4096), -NoiseStatistics.Critical, NoiseStatistics.Critical);
        Assert.InRange(NoiseStatistics.Correlation(first.AsSpan(1), first.AsSpan(0, Samples - 1), 4096), -NoiseStatistics.Critical, NoiseStatistics.Critical);
        Assert.InRange(NoiseStatistics.Variance(first, 4096), -NoiseStatistics.Critical, NoiseStatistics.Critical);
    }

    // Noise reused for a second block, or half of it, shows at once.
    [Fact]
    public void Correlation_OfAReusedDraw_IsRefused()
    {
        var noise = NoiseStatistics.Draw(DiscreteGaussian.OnGrid(1, 12), 2000);
        var partly = NoiseStatistics.Draw(DiscreteGaussian.OnGrid(1, 12), 2000);
        noise.AsSpan(0, 400).CopyTo(partly);

        Assert.True(NoiseStatistics.Correlation(noise, noise, 4096) > NoiseStatistics.Critical);
        Assert.True(NoiseStatistics.Correlation(noise, partly, 4096) > NoiseStatistics.Critical);
    }

    // One sum noised twice and averaged has half the variance: two releases, two charges.
    [Fact]
    public void Variance_OfTheMeanOfTwoReleasesOfOneSum_IsHalf()
    {
        var (one, other) = (NoiseStatistics.Draw(DiscreteGaussian.OnGrid(1, 12), Samples), NoiseStatistics.Draw(DiscreteGaussian.OnGrid(1, 12), Samples));
        var mean = one.Zip(other, (a, b) => (a + b) / 2).ToArray();

        Assert.True(Math.Abs(NoiseStatistics.Variance(mean, 4096)) > NoiseStatistics.Critical);
        Assert.InRange(NoiseStatistics.Variance(mean, 4096 / Math.Sqrt(2)), -NoiseStatistics.Critical, NoiseStatistics.Critical);
    }

    // With a band of 2⁶² almost every toss is settled by big integers, with one of 2²⁴ almost none: the fast path decides as the exact one does.
    [Theory]
    [InlineData(1, 3)]
    [InlineData(7, 1)]
    [InlineData(1 << 26, 3)]
    public void Fill_SettledByIntegersAlone_GivesTheSameValues(long numerator, long denominator)
    {
        var fast = NoiseStatistics.Draw(new DiscreteGaussian(numerator, denominator, new SeededEntropy(3)), 3000);
        var exact = NoiseStatistics.Draw(new DiscreteGaussian(numerator, denominator, new SeededEntropy(3), band: 1UL << 62), 3000);

        Assert.Equal(exact, fast);
    }

    // e^−γ by integers of 256 bits, itself checked against a known constant below.
    [Fact]
    public void Approximate_AcrossItsRange_StaysWithinAFewUnits()
    {
        var random = new Random(4);
        for (var i = 0; i < 20_000; i++)
        {
            var numerator = (long)(random.NextDouble() * (1L << random.Next(1, 53)));
            var exponent = numerator / (double)(1L << 47);
            var (low, _) = ExponentialCoin.Bracket(numerator, BigInteger.One << 47, 256);
            var expected = BigInteger.Min(low >> 192, ulong.MaxValue);

            Assert.True(BigInteger.Abs(expected - ExponentialCoin.Approximate(exponent)) <= 16, $"e^-{exponent}");
        }
    }

    // The digits of 1/e, OEIS A068985.
    [Fact]
    public void Bracket_OfOne_HoldsTheDigitsOfOneOverE()
    {
        var (low, high) = ExponentialCoin.Bracket(1, 1, 256);
        var digits = BigInteger.Parse("36787944117144232159552377016146086744581113103176783450783680169");
        var scale = BigInteger.Pow(10, 65);

        Assert.True(low * scale <= (digits + 1) << 256);
        Assert.True(high * scale >= digits << 256);
        Assert.True(high - low < 1000);
    }

    // Bits of U beyond the first 64 decide: p = e^−1 is 0.0101111000101101…₂, and U agrees with its first 64 bits.
    [Fact]
    public void Settle_FirstWordInTheBalance_DrawsMore()
    {
        var (low, _) = ExponentialCoin.Bracket(1, 1, 256);
        var word = (ulong)(low >> 192);

        Assert.True(ExponentialCoin.Settle(new EntropyBits(new ConstantEntropy(0)), word, 1, 1));
        Assert.False(ExponentialCoin.Settle(new EntropyBits(new ConstantEntropy(0xFF)), word, 1, 1));
    }

    [Fact]
    public void NextBelow_BoundThatDoesNotDivide_IsUniform()
    {
        var bits = new EntropyBits(new SeededEntropy(9));
        var counts = new int[3];
        var top = (ulong.MaxValue / 4) * 3;
        for (var i = 0; i < 90_000; i++)
        {
            counts[bits.NextBelow(3)]++;
            Assert.True(bits.NextBelow(top) < top);
        }

        Assert.All(counts, count => Assert.InRange(count, 30_000 - 700, 30_000 + 700));
    }

    [Fact]
    public void EntropyBits_EachWord_IsHandedOutOnce()
    {
        var bits = new EntropyBits(new SeededEntropy(1));
        var words = Enumerable.Range(0, 5000).Select(_ => bits.NextWord()).ToHashSet();

        Assert.Equal(5000, words.Count);
    }

    // PITFALLS 11.
    // Nothing public takes entropy, and the core has one source of it: the operating system's.
    [Fact]
    public void Entropy_OfTheCore_IsTheSystemsAndNobodyElseCanGiveAnother()
    {
        var types = typeof(DiscreteGaussian).Assembly.GetTypes();

        Assert.Equal([typeof(SystemEntropy)], types.Where(type => type.IsSubclassOf(typeof(EntropySource))));
        Assert.False(typeof(EntropySource).IsVisible);
        Assert.DoesNotContain(
            typeof(DiscreteGaussian).GetConstructors().Cast<System.Reflection.MethodBase>().Concat(typeof(DiscreteGaussian).GetMethods()),
            method => method.GetParameters().Any(parameter => parameter.ParameterType == typeof(EntropySource)));
    }

    [Fact]
    public void AddTo_SumAtTheEndOfItsRange_ThrowsInsteadOfWrapping() => Assert.Throws<OverflowException>(() =>
    {
        var sums = Enumerable.Repeat(long.MaxValue, 64).ToArray();
        DiscreteGaussian.OnGrid(1, 20).AddTo(sums);
    });

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 0)]
    [InlineData(-1, 1)]
    public void Create_VarianceNotPositive_IsRefused(long numerator, long denominator) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new DiscreteGaussian(numerator, denominator));

    [Fact]
    public void Create_LargestDeviation_IsTakenAndMoreIsNot()
    {
        Assert.Equal(DiscreteGaussian.LargestDeviation, new DiscreteGaussian(BigInteger.One << 80, 1).StandardDeviation);
        Assert.Throws<ArgumentOutOfRangeException>(() => new DiscreteGaussian((BigInteger.One << 80) + 1, 1));
    }

    private sealed class ConstantEntropy(byte value) : EntropySource
    {
        public override void Fill(Span<byte> destination) => destination.Fill(value);
    }
}
