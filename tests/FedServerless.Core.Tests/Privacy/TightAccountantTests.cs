using FedServerless.Core.Tests.Oracles;
using FedServerless.Privacy;

namespace FedServerless.Core.Tests.Privacy;

public class TightAccountantTests
{
    private const double Delta = 1e-5;

    // One and two rounds by mpmath, closed form and quadrature (make_tight_delta.py); the bracket of each direction must hold the ε asked about.
    [Fact]
    public void Bounds_OneAndTwoRounds_HoldTheExactEpsilonOfEachDirection() => Assert.All(
        Oracle.Load<TightOracle>("tight_delta.json").Where(oracle => oracle.Delta >= 1e-14),
        oracle =>
        {
            var releases = TightAccountant.Group(new RepeatedEvent(new PoissonGaussianEvent(oracle.SamplingRate, oracle.NoiseMultiplier), oracle.Rounds));

            var (lower, upper) = new TightAccountant(0.002).Bounds(
                releases, release => release.NoiseMultiplier, oracle.Removes ? LossDirection.Remove : LossDirection.Add, oracle.Delta, new(oracle.Epsilon, oracle.Delta, 8, false));

            // A thousandth of δ is set aside for failures; for a δ of a tenth that is much of ε.
            var width = oracle.Delta > 0.05 ? 0.1 : 0.01;
            Assert.InRange(lower, oracle.Epsilon * (1 - width), oracle.Epsilon);
            Assert.InRange(upper, oracle.Epsilon, oracle.Epsilon * (1 + width));
        });

    // Many rounds by importance sampling, without losses on a grid and without a transform (make_tight_rounds.py), to five standard errors.
    [Fact]
    public void Bounds_ManyRounds_HoldTheEpsilonOfImportanceSampling() => Assert.All(
        Oracle.Load<SampledOracle>("tight_rounds.json"),
        oracle =>
        {
            var releases = TightAccountant.Group(new RepeatedEvent(new PoissonGaussianEvent(oracle.SamplingRate, oracle.NoiseMultiplier), oracle.Rounds));

            var (lower, _) = Bounds(oracle.Delta * (1 + (5 * oracle.RelativeError)));
            var (_, upper) = Bounds(oracle.Delta * (1 - (5 * oracle.RelativeError)));

            Assert.InRange(lower, oracle.Epsilon * 0.97, oracle.Epsilon);
            Assert.InRange(upper, oracle.Epsilon, oracle.Epsilon * 1.03);

            (double Lower, double Upper) Bounds(double delta) => new TightAccountant().Bounds(
                releases, release => release.NoiseMultiplier, oracle.Removes ? LossDirection.Remove : LossDirection.Add, delta, new(oracle.Epsilon, delta, 8, false));
        });

    // Both are theorems: what Rényi accounting says is never below what is certainly lost.
    [Theory]
    [InlineData(0.001)]
    [InlineData(0.03)]
    [InlineData(0.4)]
    [InlineData(0.99)]
    public void Renyi_AnyNoiseAndDelta_IsNeverBelowTheBracket(double rate)
    {
        foreach (var (noise, rounds, delta) in ((double, long, double)[])[(0.4, 1, 1e-3), (0.7, 30, 1e-6), (1, 300, 1e-9), (4, 50, 1e-5), (30, 500, 1e-4)])
        {
            var schedule = new RepeatedEvent(new PoissonGaussianEvent(rate, noise), rounds);
            var (lower, _) = new TightAccountant(0.01).Bounds(TightAccountant.Group(schedule), _ => noise, LossDirection.Remove, delta, Renyi(schedule, delta));

            Assert.True(Renyi(schedule, delta).Epsilon >= lower);
        }

        static RenyiSpend Renyi(PrivacyEvent schedule, double delta) => RenyiCurve.Of(schedule, RenyiOrders.Default).Spend(delta);
    }

    [Theory]
    [InlineData(50 / 3383.0, 0.5, 100)]
    [InlineData(120 / 3383.0, 1.2, 100)]
    [InlineData(0.25, 2, 40)]
    [InlineData(0.001, 0.8, 10000)]
    [InlineData(0.9, 5, 200)]
    public void Epsilon_ManyRounds_IsANarrowBracketBelowRenyi(double rate, double noise, long rounds)
    {
        var schedule = new RepeatedEvent(new PoissonGaussianEvent(rate, noise), rounds);
        var renyi = RenyiCurve.Of(schedule, RenyiOrders.Default).Spend(Delta).Epsilon;

        var bracket = new TightAccountant().Epsilon(schedule, Delta);

        Assert.True(bracket.Lower < bracket.Upper);
        Assert.InRange(bracket.Upper / bracket.Lower, 1, 1.025);
        Assert.InRange(bracket.Upper, 0.5 * renyi, renyi);
    }

    // A rate of almost 1 goes through the transform; at 1 it is one Gaussian, known exactly.
    [Theory]
    [InlineData(10, 100)]
    [InlineData(150, 10000)]
    public void Epsilon_RateOfAlmostOne_IsTheAnalyticGaussian(double noise, long rounds)
    {
        var exact = AnalyticGaussian.Epsilon(Delta, noise / Math.Sqrt(rounds));

        var bracket = new TightAccountant().Epsilon(new RepeatedEvent(new PoissonGaussianEvent(1 - 1e-12, noise), rounds), Delta);

        Assert.InRange(exact, bracket.Lower, bracket.Upper);
        Assert.InRange(bracket.Upper / bracket.Lower, 1, 1.02);
        Assert.Equal(exact, new TightAccountant().Epsilon(new RepeatedEvent(new GaussianEvent(noise), rounds), Delta).Upper, 1e-9);
    }

    // Splitting a schedule into parts that are priced together changes nothing; different parts lie between all of one and all of the other.
    [Fact]
    public void Epsilon_DifferentParts_LiesBetweenThoseOfEachKind()
    {
        var (weak, strong) = (new PoissonGaussianEvent(0.05, 0.9), new PoissonGaussianEvent(0.04, 1.1));

        var mixed = Epsilon(new ComposedEvent([new RepeatedEvent(weak, 50), new RepeatedEvent(strong, 50)]));

        Assert.InRange(mixed.Lower, Epsilon(new RepeatedEvent(strong, 100)).Upper, Epsilon(new RepeatedEvent(weak, 100)).Lower);
        Assert.Equal(mixed, Epsilon(new ComposedEvent([strong, new RepeatedEvent(weak, 50), new RepeatedEvent(strong, 49)])));
    }

    [Fact]
    public void Epsilon_DiscreteNoise_HasTheGridInsideTheBracket()
    {
        var real = Epsilon(new RepeatedEvent(new PoissonGaussianEvent(0.05, 0.9), 50));
        var coarse = Epsilon(new RepeatedEvent(new PoissonGaussianEvent(0.05, 0.9, 6), 50));

        Assert.True(coarse.Lower < real.Lower);
        Assert.True(coarse.Upper > real.Upper);
        Assert.InRange(coarse.Upper / coarse.Lower, 1, 1.05);
    }

    [Fact]
    public void Epsilon_SmallDeltas_StaysANarrowBracket()
    {
        var bracket = new TightAccountant().Epsilon(new RepeatedEvent(new PoissonGaussianEvent(0.01, 1), 1000), 1e-14);

        Assert.InRange(bracket.Upper / bracket.Lower, 1, 1.02);
    }

    [Fact]
    public void Epsilon_NothingOrAlmostNothing_IsZero()
    {
        Assert.Equal(new EpsilonBracket(0, 0, Delta), Epsilon(new RepeatedEvent(new GaussianEvent(1), 0)));
        Assert.Equal(0, Epsilon(new PoissonGaussianEvent(1e-7, 1)).Upper);
    }

    // e^ε overflows near 709: an upper end computed there would be too low.
    [Fact]
    public void Epsilon_ThatSaysNothing_IsLeftToRenyi()
    {
        var schedule = new RepeatedEvent(new PoissonGaussianEvent(0.4, 0.25), 423);

        var renyi = RenyiCurve.Of(schedule, RenyiOrders.Default).Spend(Delta).Epsilon;

        Assert.Equal(new EpsilonBracket(0, renyi, Delta), Epsilon(schedule));
        Assert.True(renyi > 1000);
    }

    // The Rényi ε is thirteen times too high here; the bracket is narrow beside the true one all the same.
    [Fact]
    public void Epsilon_GuessFarTooHigh_IsStillANarrowBracket()
    {
        var bracket = new TightAccountant().Epsilon(new RepeatedEvent(new PoissonGaussianEvent(0.0004, 1), 500), 1e-8);

        Assert.InRange(bracket.Upper / bracket.Lower, 1, 1.05);
    }

    [Fact]
    public void Epsilon_OutsideItsLimits_IsRefused()
    {
        Assert.Throws<ArgumentException>(() => Epsilon(new RepeatedEvent(new PoissonGaussianEvent(0.5, 100), TightAccountant.MostReleases + 1)));
        Assert.Throws<ArgumentOutOfRangeException>(() => new TightAccountant().Epsilon(new GaussianEvent(1), 9e-16));
        Assert.Throws<ArgumentOutOfRangeException>(() => new TightAccountant(0.2));
    }

    // By its definition, for every length up to 16.
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(16)]
    public void Transform_ThereAndBack_ConvolvesCircularly(int length)
    {
        var (a, b) = (Enumerable.Range(0, length).Select(i => 1.0 / (i + 2)).ToArray(), Enumerable.Range(0, length).Select(i => Math.Cos(i)).ToArray());
        var transform = new FourierTransform(length);
        System.Numerics.Complex[] left = [.. a], right = [.. b];
        transform.Forward(left);
        transform.Forward(right);
        System.Numerics.Complex[] product = [.. left.Zip(right, (x, y) => x * y)];
        transform.Backward(product);

        for (var i = 0; i < length; i++)
        {
            Assert.Equal(Enumerable.Range(0, length).Sum(j => a[j] * b[(i - j + length) % length]), product[i].Real, 1e-14);
        }
    }

    private sealed record SampledOracle(double SamplingRate, double NoiseMultiplier, int Rounds, bool Removes, double Epsilon, double Delta, double RelativeError);

    private static EpsilonBracket Epsilon(PrivacyEvent schedule) => new TightAccountant().Epsilon(schedule, Delta);
}
