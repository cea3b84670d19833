using FedServerless.Core.Tests.Oracles;
using FedServerless.Privacy;

namespace FedServerless.Core.Tests.Privacy;

public class SampledGaussianRenyiTests
{
    // mpmath: exact binomial sums with 60 digits, Gauss-Legendre quadrature with 50 (make_sampled_gaussian_rdp.py).
    [Fact]
    public void Divergence_EveryOrder_IsTheQuadratureWithinOnePartInTenToTheTenth() =>
        Assert.All(Oracle.Load<RdpOracle>("sampled_gaussian_rdp.json"), oracle =>
        {
            var divergence = Divergence(oracle.SamplingRate, oracle.NoiseMultiplier, oracle.Order);
            Assert.InRange((divergence / oracle.Divergence) - 1, -1e-10, 1e-10);
        });

    [Theory]
    [InlineData(1.01)]
    [InlineData(2)]
    [InlineData(1024)]
    public void Divergence_EverybodyTakesPart_IsThePlainGaussian(double order) =>
        Assert.Equal(order / (2 * 1.5 * 1.5), Divergence(1, 1.5, order), 1e-15);

    // PITFALLS 14.
    // C(256,128) and e^131072 overflow a double: PITFALLS would see infinity or NaN.
    [Theory]
    [InlineData(0.01, 0.5, 256)]
    [InlineData(0.01, 0.01, 1024)]
    [InlineData(1e-12, 0.05, 15.75)]
    [InlineData(0.5, 0.01, 1.01)]
    [InlineData(1e-9, 1e6, 1.01)]
    [InlineData(1 - 1e-15, 1e6, 1024)]
    public void Divergence_TermsThatOverflow_StaysFiniteAndBelowThePlainGaussian(double rate, double noise, double order) =>
        Assert.InRange(Divergence(rate, noise, order), double.Epsilon, order / (2 * noise * noise));

    // The leading term α·q²·(e^{1/z²} − 1)/2, all that is left for a tiny q; log(1 + x) as written returns 0 here.
    [Theory]
    [InlineData(2)]
    [InlineData(1.5)]
    [InlineData(7.25)]
    public void Divergence_TinyRate_IsItsLeadingTerm(double order)
    {
        var leading = order * 1e-20 * (Math.E - 1) / 2;
        Assert.InRange(Divergence(1e-10, 1, order) / leading, 1 - 1e-7, 1 + 1e-7);
    }

    // (α − 1)·D is convex in α and D does not fall: integer and fractional orders come from different formulas.
    [Theory]
    [InlineData(0.02, 0.7)]
    [InlineData(0.3, 1.1)]
    [InlineData(0.9, 3)]
    public void Divergence_AcrossTheOrders_GrowsAndItsMomentIsConvex(double rate, double noise)
    {
        var orders = RenyiOrders.Default.Values;
        var divergences = RenyiCurve.Of(new PoissonGaussianEvent(rate, noise), RenyiOrders.Default).Divergences;
        for (var i = 2; i < orders.Count; i++)
        {
            Assert.True(divergences[i] >= divergences[i - 1]);
            var t = (orders[i - 1] - orders[i - 2]) / (orders[i] - orders[i - 2]);
            var chord = ((1 - t) * Moment(i - 2)) + (t * Moment(i));
            Assert.True(Moment(i - 1) <= chord * (1 + 1e-12));
        }

        double Moment(int i) => (orders[i] - 1) * divergences[i];
    }

    [Theory]
    [InlineData(2)]
    [InlineData(30)]
    public void Divergence_DiscreteNoiseAtIntegerOrders_HasNoTermForTheGrid(int order) =>
        Assert.Equal(Divergence(0.1, 1, order), Divergence(0.1, 1, order, gridBits: 6));

    // The definition, summed over the integers for one coordinate that moves by the whole sensitivity of 2^6 steps.
    [Theory]
    [InlineData(2, 0.6)]
    [InlineData(2.5, 0.6)]
    [InlineData(9.75, 1)]
    public void Divergence_DiscreteNoise_CoversTheSumOverTheIntegers(double order, double noise)
    {
        const double Rate = 0.2;
        var (shift, deviation) = (64, noise * 64);
        var (moment, mass) = (0.0, 0.0);
        for (var x = -2000; x <= 4000; x++)
        {
            var weight = Math.Exp(-x * (double)x / (2 * deviation * deviation));
            var ratio = Math.Exp(((2.0 * x * shift) - (shift * shift)) / (2 * deviation * deviation));
            mass += weight;
            moment += weight * Math.Pow(1 - Rate + (Rate * ratio), order);
        }

        var exact = Math.Log(moment / mass) / (order - 1);
        var priced = Divergence(Rate, noise, order, gridBits: 6);
        Assert.InRange(priced, exact * (1 - 1e-10), exact * 1.02);
    }

    // Add-or-remove compares both ways; the formula is that of the mixture in front, and theorem 5 of the paper says that it is the larger. Summed here
    // over the integers for both, for discrete noise, which the paper does not speak of.
    [Theory]
    [InlineData(1.5, 0.6, 0.1)]
    [InlineData(3, 0.5, 0.5)]
    [InlineData(20, 2, 0.02)]
    [InlineData(2, 1, 0.9)]
    public void Divergence_OtherDirection_IsNeverLarger(double order, double noise, double rate)
    {
        var (shift, deviation) = (32, noise * 32);
        var (moment, mass) = (0.0, 0.0);
        for (var x = -2000; x <= 2000; x++)
        {
            var weight = Math.Exp(-x * (double)x / (2 * deviation * deviation));
            var ratio = 1 - rate + (rate * Math.Exp(((2.0 * x * shift) - (shift * shift)) / (2 * deviation * deviation)));
            mass += weight;
            moment += weight * Math.Pow(ratio, 1 - order);
        }

        Assert.InRange(Math.Log(moment / mass) / (order - 1), 0, Divergence(rate, noise, order));
    }

    private static double Divergence(double rate, double noise, double order, int? gridBits = null) =>
        new SampledGaussianRenyi(new PoissonGaussianEvent(rate, noise, gridBits)).Divergence(order);

    private sealed record RdpOracle(double SamplingRate, double NoiseMultiplier, double Order, double Divergence);
}
