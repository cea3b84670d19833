using FedServerless.Privacy;

namespace FedServerless.Core.Tests.Privacy;

public class PrivateMeanTests
{
    private const int Dimension = 1000;

    // The expected value is computed apart: clip in double, mean over qN, whoever came (PITFALLS 3).
    [Fact]
    public void Complete_LittleNoise_IsTheClippedMeanOverTheDenominator()
    {
        var mean = new double[Dimension];
        var round = new PrivateMean(Dimension, new UpdateGrid(1, 20), denominator: 8, noiseMultiplier: 0.01, new SeededEntropy(1));
        Assert.True(round.TryAdd(Along(0, 0.5f)));
        Assert.True(round.TryAdd(Along(1, -40)));

        Assert.Equal(1, round.Complete(mean));

        // Noise of a coordinate: 0.01/8, six deviations.
        Assert.Equal(0.5 / 8, mean[0], 0.0075);
        Assert.Equal(-1.0 / 8, mean[1], 0.0075);
        Assert.All(mean.Skip(2), value => Assert.InRange(value, -0.0075, 0.0075));
    }

    // PITFALLS 7: a client that did not clip moves the sum by C and no further.
    [Fact]
    public void Complete_SameEntropyWithAndWithoutAClient_DiffersByAtMostTheClip()
    {
        var wild = Enumerable.Range(0, Dimension).Select(i => 1e6f * MathF.Sin(i)).ToArray();

        var with = Release(wild);
        var without = Release(null);

        Assert.InRange(Math.Sqrt(with.Zip(without, (a, b) => (a - b) * (a - b)).Sum()), 1.99, 2);

        static double[] Release(float[]? extra)
        {
            var mean = new double[Dimension];
            var round = new PrivateMean(Dimension, new UpdateGrid(2, 14), denominator: 1, noiseMultiplier: 1, new SeededEntropy(1));
            round.TryAdd(Along(3, 1));
            if (extra is not null)
            {
                round.TryAdd(extra);
            }

            round.Complete(mean);
            return mean;
        }
    }

    [Fact]
    public void Complete_NobodyCame_IsNoiseOfTheRightSize()
    {
        const int Coordinates = 20_000;
        var mean = new double[Coordinates];
        new PrivateMean(Coordinates, new UpdateGrid(3, 12), denominator: 5, noiseMultiplier: 2, new SeededEntropy(2)).Complete(mean);

        var steps = mean.Select(value => (long)Math.Round(value * 5 * 4096 / 3)).ToArray();

        Assert.InRange(NoiseStatistics.Variance(steps, 2 * 4096), -NoiseStatistics.Critical, NoiseStatistics.Critical);
    }

    // PITFALLS 9: two releases of one sum would average to half the noise.
    [Fact]
    public void Complete_Twice_IsRefused()
    {
        var round = new PrivateMean(1, new UpdateGrid(1, 12), 1, 1);
        round.Complete(new double[1]);

        Assert.Throws<InvalidOperationException>(() => round.Complete(new double[1]));
        Assert.Throws<InvalidOperationException>(() => round.TryAdd(new float[1]));
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void TryAdd_NotFinite_CountsAsZero(float value)
    {
        var (with, without) = (new double[2], new double[2]);
        var round = new PrivateMean(2, new UpdateGrid(1, 12), 1, 1, new SeededEntropy(1));

        Assert.False(round.TryAdd(new[] { 1, value }));

        round.Complete(with);
        new PrivateMean(2, new UpdateGrid(1, 12), 1, 1, new SeededEntropy(1)).Complete(without);
        Assert.Equal(without, with);
    }

    [Fact]
    public void TryAdd_AnotherLength_IsRefused() =>
        Assert.Throws<ArgumentException>(() => new PrivateMean(2, new UpdateGrid(1, 12), 1, 1).TryAdd(new float[3]));

    // PITFALLS 8: deltas get the larger z_Δ, and the bits, taken before clipping, move the next round's norm.
    [Fact]
    public void Complete_Adaptive_SplitsTheNoiseAndMovesTheClip()
    {
        const int Coordinates = 20_000;
        var (adaptive, mean) = (new AdaptiveClip(1, 1), new double[Coordinates]);
        var round = new PrivateMean(Coordinates, new UpdateGrid(1, 15), 1, adaptive, new SeededEntropy(4));
        Assert.Equal(2 / Math.Sqrt(3), adaptive.DeltaNoiseMultiplier, 1e-12);

        round.Complete(mean);

        var steps = mean.Select(value => (long)Math.Round(value * 32768)).ToArray();
        Assert.InRange(NoiseStatistics.Variance(steps, adaptive.DeltaNoiseMultiplier * 32768), -NoiseStatistics.Critical, NoiseStatistics.Critical);
        Assert.NotInRange(NoiseStatistics.Variance(steps, 32768), -NoiseStatistics.Critical, NoiseStatistics.Critical);
    }

    [Theory]
    [InlineData(0.1f, -1)]
    [InlineData(7, 1)]
    public void Complete_AdaptiveAllOnOneSide_GoesThere(float norm, int direction)
    {
        var round = new PrivateMean(2, new UpdateGrid(1, 12), 1000, new AdaptiveClip(0.5, 10), new SeededEntropy(5));
        for (var client = 0; client < 1000; client++)
        {
            round.TryAdd(new[] { norm, 0 });
        }

        Assert.Equal(direction, Math.Sign(round.Complete(new double[2]) - 1));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void Create_NoDenominator_IsRefused(double denominator) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new PrivateMean(1, new UpdateGrid(1, 12), denominator, 1));

    [Theory]
    [InlineData(0)]
    [InlineData(double.NaN)]
    public void Create_NoNoise_IsRefused(double noise) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new PrivateMean(1, new UpdateGrid(1, 12), 1, noise));

    private static float[] Along(int coordinate, float length)
    {
        var delta = new float[Dimension];
        delta[coordinate] = length;
        return delta;
    }
}
