using FedServerless.Core.Tests.Oracles;
using FedServerless.Privacy;

namespace FedServerless.Core.Tests.Privacy;

public class CalibrationTests
{
    // PITFALLS 16: never on the unsafe side.
    [Theory]
    [InlineData(2, 1e-5, 0.0354714, 100)]
    [InlineData(0.1, 1e-6, 0.01, 1000)]
    [InlineData(10, 1e-5, 1, 40)]
    [InlineData(20, 1e-3, 0.5, 1)]
    public void Rounds_WhatItReturns_KeepsThePromiseAndLittleLessDoesNot(double epsilon, double delta, double rate, long rounds)
    {
        var noise = NoiseCalibration.Rounds(new(epsilon, delta), rate, rounds, gridBits: 14);

        Assert.True(Epsilon(noise) <= epsilon);
        Assert.True(Epsilon(noise * (1 - (2 * NoiseCalibration.Tolerance))) > epsilon);

        double Epsilon(double z) => RenyiCurve.Of(new RepeatedEvent(new PoissonGaussianEvent(rate, z, 14), rounds), RenyiOrders.Default).Spend(delta).Epsilon;
    }

    [Fact]
    public void Least_LowestNoiseIsEnough_ReturnsIt()
    {
        Assert.Equal(ReleaseEvent.LeastNoiseMultiplier, NoiseCalibration.Least(1, null, _ => 0.5));
        Assert.Equal(0.5, NoiseCalibration.Least(1, 6, _ => 0.5));
    }

    [Fact]
    public void Least_NoNoiseIsEnough_IsRefused() => Assert.Throws<ArgumentException>(() => NoiseCalibration.Least(1, null, _ => double.NaN));

    // Theorem 8 of Balle and Wang in mpmath (make_tight_delta.py); the exact tails are far below what erfc in double precision needs.
    [Fact]
    public void AnalyticDelta_KnownCases_IsTheirClosedForm() => Assert.All(
        Oracle.Load<TightOracle>("tight_delta.json").Where(oracle => oracle.SamplingRate == 1),
        oracle => Assert.InRange(AnalyticGaussian.Delta(oracle.Epsilon, oracle.NoiseMultiplier / Math.Sqrt(oracle.Rounds)) / oracle.Delta, 1 - 1e-11, 1 + 1e-11));

    [Theory]
    [InlineData(1, 1e-5)]
    [InlineData(0.01, 1e-9)]
    [InlineData(50, 0.2)]
    public void AnalyticNoise_ForABudget_KeepsItExactlyAndBeatsTheClassicBound(double epsilon, double delta)
    {
        var noise = AnalyticGaussian.NoiseMultiplier(new(epsilon, delta));

        Assert.True(AnalyticGaussian.Delta(epsilon, noise) <= delta);
        Assert.True(AnalyticGaussian.Delta(epsilon, noise * (1 - 3e-6)) > delta);
        Assert.True(epsilon > 1 || noise < Math.Sqrt(2 * Math.Log(1.25 / delta)) / epsilon);
    }

    // PITFALLS 15.
    // Dwork and Roth's formula is proven for ε < 1 only; at 10 it promises what it does not keep.
    [Fact]
    public void AnalyticDelta_ClassicNoiseAtLargeEpsilon_BreaksItsPromise() =>
        Assert.True(AnalyticGaussian.Delta(10, Math.Sqrt(2 * Math.Log(1.25 / 1e-5)) / 10) > 1e-5);

    [Fact]
    public void AnalyticEpsilon_OfManyReleases_IsNeverMoreThanRenyi()
    {
        var renyi = RenyiCurve.Of(new RepeatedEvent(new GaussianEvent(10), 100), RenyiOrders.Default).Spend(1e-5).Epsilon;

        Assert.InRange(AnalyticGaussian.Epsilon(1e-5, 1), 0.9 * renyi, renyi);
    }

    [Fact]
    public void NormalTail_FromTheFarLeftToTheFarRight_IsMpmathsErfc() => Assert.All(Oracle.Load<TailOracle>("normal_tails.json"), oracle =>
    {
        Assert.InRange(NormalTail.Upper(oracle.X) / oracle.Upper, 1 - 4e-14, 1 + 4e-14);
        Assert.InRange(NormalTail.LogUpper(oracle.X), Math.Log(oracle.Upper) - 1e-12, Math.Log(oracle.Upper) + 1e-12);
    });

    private sealed record TailOracle(double X, double Upper);
}
