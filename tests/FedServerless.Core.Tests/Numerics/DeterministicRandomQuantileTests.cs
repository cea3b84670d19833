using FedServerless.Numerics;

namespace FedServerless.Core.Tests.Numerics;

public sealed class DeterministicRandomQuantileTests
{
    [Theory]
    [InlineData(0.25, -0.6744897501960817)] // The three check values of AS 241.
    [InlineData(0.001, -3.090232306167813)]
    [InlineData(1e-20, -9.262340089798408)]
    [InlineData(0.5, 0)]
    [InlineData(0.975, 1.959963984540054)]
    public void Of_KnownProbability_IsThePublishedQuantile(double p, double expected) =>
        Assert.Equal(expected, NormalQuantile.Of(p), 1e-14);

    [Fact]
    public void Of_Mirrored_IsExactlyTheNegative()
    {
        for (var cell = 1; cell < 4096; cell++)
        {
            var p = cell / 4096.0;
            Assert.Equal(-NormalQuantile.Of(p), NormalQuantile.Of(1 - p));
        }
    }

    [Fact]
    public void Of_EndsOfTheGrid_IsFinite()
    {
        Assert.InRange(NormalQuantile.Of(0.5 / (1L << 52)), -9, -8);
        Assert.InRange(NormalQuantile.Of(1 - (0.5 / (1L << 52))), 8, 9);
    }

    [Fact]
    public void Log_AcrossTheRange_AgreesWithThePlatform()
    {
        var random = new DeterministicRandom(1);
        for (var i = 0; i < 20_000; i++)
        {
            var x = Math.ScaleB(1 + random.NextDouble(), random.NextInt(120) - 60);
            var expected = Math.Log(x);
            Assert.Equal(expected, NormalQuantile.Log(x), 4e-16 * Math.Max(1, Math.Abs(expected)));
        }
    }
}
