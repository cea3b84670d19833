using System.Numerics;
using FedServerless.Numerics;
using FedServerless.Privacy;

namespace FedServerless.Core.Tests.Privacy;

public class UpdateGridTests
{
    // Big integers on their own count what the kernel adds up; the longest update allowed has norm C, whatever its shape.
    [Theory]
    [InlineData(1, 12, 1f)]
    [InlineData(1000, 12, 1f)]
    [InlineData(1000, 6, 1f)]
    [InlineData(100_000, 12, 3f)]
    [InlineData(4096, 6, 0.0078125f)]
    [InlineData(4097, 12, 1e-30f)]
    public void Fit_AnyUpdate_NeverExceedsTheClipInIntegers(int dimension, int bits, float size)
    {
        var random = new DeterministicRandom(dimension);
        for (var trial = 0; trial < 20; trial++)
        {
            var update = Enumerable.Range(0, dimension).Select(_ => (float)(random.NextGaussian() * size)).ToArray();
            var grid = new UpdateGrid(trial < 10 ? 1 : Math.Max(1e-9, Norm(update)), bits);

            Assert.True(Squares(Contribution(grid, update)) <= BigInteger.Pow(4, bits));
        }
    }

    // PITFALLS 12: rounding inflates the norm; the contribution is shrunk, not the noise raised.
    // Every coordinate just above half a step: rounding to nearest doubles each, 16 times the energy that was there.
    [Fact]
    public void Fit_RoundingThatInflatesMost_IsShrunkUntilItFits()
    {
        var update = Enumerable.Repeat(1 / 64f * 0.51f, 10_000).ToArray();
        var grid = new UpdateGrid(1, 6);
        var factor = grid.Factor(Norm(update));
        Assert.True(UpdateGrid.SumOfSquares(update, grid.Factor(0.5)) > (UInt128)(1 << 12));

        var contribution = Contribution(grid, update);

        Assert.True(Squares(contribution) <= 1 << 12);
        Assert.True(factor > 0);
    }

    [Fact]
    public void Fit_IntegerShrink_AlwaysFits()
    {
        var update = new float[] { 100, -100, 50, 3 };
        var grid = new UpdateGrid(1, 6);

        // A pass that says "too long" whatever the factor forces the last resort.
        var total = UpdateGrid.SumOfSquares(update, 10);
        var scale = grid.Fit(Norm(update), _ => total);
        Assert.Equal((64L, (long)Math.Ceiling(Math.Sqrt((double)total))), (scale.Multiply, scale.Divide));
        var sums = new long[4];
        UpdateGrid.Accumulate(update, scale with { Factor = 10 }, sums);

        Assert.True(Squares(sums) <= 64 * 64);
    }

    [Fact]
    public void Fit_UpdateWithinTheClip_LosesNothingButTheRounding()
    {
        var random = new DeterministicRandom(2);
        var update = Enumerable.Range(0, 1000).Select(_ => (float)(random.NextGaussian() * 0.01)).ToArray();
        var grid = new UpdateGrid(1, 20);

        var contribution = Contribution(grid, update);

        Assert.All(contribution.Zip(update), pair => Assert.InRange((pair.First * grid.Step) - pair.Second, -grid.Step / 2, grid.Step / 2));
    }

    // What the recommended grid costs an update that is clipped: far less than any noise.
    [Theory]
    [InlineData(10)]
    [InlineData(7850)]
    [InlineData(300_000)]
    public void Fit_RecommendedBits_MovesAClippedUpdateByLessThanAFiveHundredth(int dimension)
    {
        var random = new DeterministicRandom(3);
        var update = Enumerable.Range(0, dimension).Select(_ => (float)(10 * random.NextGaussian())).ToArray();
        var norm = Norm(update);
        var grid = new UpdateGrid(2.5, UpdateGrid.BitsFor(dimension));

        var contribution = Contribution(grid, update);

        var moved = Math.Sqrt(contribution.Zip(update, (z, x) => Math.Pow((z * grid.Step) - (x * 2.5 / norm), 2)).Sum());
        Assert.InRange(moved, 0, 2.5 / 500);
    }

    [Theory]
    [InlineData(1, 12)]
    [InlineData(256, 12)]
    [InlineData(257, 13)]
    [InlineData(1_000_000, 18)]
    [InlineData(1L << 31, 24)]
    public void BitsFor_Dimension_IsTheLeastThatIsFineEnough(long dimension, int bits) => Assert.Equal(bits, UpdateGrid.BitsFor(dimension));

    // Sums are integers: any split into ranges, any order of clients, the same bits.
    [Fact]
    public void Accumulate_AnyShardsAndOrder_GivesTheSameSums()
    {
        var random = new DeterministicRandom(4);
        var grid = new UpdateGrid(1, 16);
        var updates = Enumerable.Range(0, 7).Select(_ => Enumerable.Range(0, 1000).Select(_ => (float)random.NextGaussian()).ToArray()).ToArray();
        var (whole, split) = (new long[1000], new long[1000]);
        foreach (var update in updates)
        {
            UpdateGrid.Accumulate(update, Scale(grid, update), whole);
        }

        foreach (var update in updates.Reverse())
        {
            for (var at = 0; at < 1000; at += 37)
            {
                var length = Math.Min(37, 1000 - at);
                UpdateGrid.Accumulate(update.AsSpan(at, length), Scale(grid, update), split.AsSpan(at, length));
            }
        }

        Assert.Equal(whole, split);
    }

    // PITFALLS 7, 9.
    // Clipping each shard to C by its own norm would let two shards carry √2·C: the whole's scale does not.
    [Fact]
    public void Accumulate_OwnNormPerShard_WouldExceedTheClip()
    {
        var update = Enumerable.Repeat(1f, 100).ToArray();
        var grid = new UpdateGrid(1, 16);
        var sums = new long[100];
        foreach (var at in (int[])[0, 50])
        {
            UpdateGrid.Accumulate(update.AsSpan(at, 50), Scale(grid, update[at..(at + 50)]), sums.AsSpan(at, 50));
        }

        Assert.True(Squares(sums) > BigInteger.Pow(4, 16) * 19 / 10);
        Assert.True(Squares(Contribution(grid, update)) <= BigInteger.Pow(4, 16));
    }

    [Fact]
    public void Fit_ZeroUpdate_StaysZero() => Assert.All(Contribution(new UpdateGrid(1, 12), new float[10]), value => Assert.Equal(0, value));

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(-1)]
    public void Factor_NormThatIsNone_IsRefused(double norm) => Assert.Throws<ArgumentOutOfRangeException>(() => new UpdateGrid(1, 12).Factor(norm));

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(2147483904f)]
    public void SumOfSquares_CoordinateThatNoClippedUpdateHas_IsRefused(float value)
    {
        Assert.Throws<ArgumentException>(() => UpdateGrid.SumOfSquares([value], 1));
        Assert.Throws<ArgumentException>(() => UpdateGrid.Accumulate([value], new(1, 1, 1), new long[1]));
    }

    [Fact]
    public void SumOfSquares_LargestCoordinates_IsExact() =>
        Assert.Equal((UInt128)5 << 62, UpdateGrid.SumOfSquares([2147483648f, -2147483648f, 2147483648f, -2147483648f, 2147483648f], 1));

    // PITFALLS 12: no modular wrap.
    [Fact]
    public void Accumulate_SumAtItsEnd_ThrowsInsteadOfWrapping() =>
        Assert.Throws<OverflowException>(() => UpdateGrid.Accumulate([1f], new(1, 1, 1), [long.MaxValue]));

    [Fact]
    public void MostContributions_OfTheLongestUpdates_LeaveRoomForTheNoise()
    {
        var grid = new UpdateGrid(1, 30);

        Assert.Equal(1L << 62, grid.MostContributions * grid.StepsPerClip);
    }

    [Fact]
    public void Complete_FixedDenominator_DividesByItWhoeverCame()
    {
        var grid = new UpdateGrid(2, 10);
        var mean = new double[2];
        grid.Complete([1024, -512], 50.5, mean);

        Assert.Equal([2 / 50.5, -1 / 50.5], mean);
        Assert.Throws<ArgumentOutOfRangeException>(() => grid.Complete([1], 0, new double[1]));
    }

    [Theory]
    [InlineData(0.0, 12)]
    [InlineData(double.NaN, 12)]
    [InlineData(1e-13, 12)]
    [InlineData(1.1e12, 12)]
    [InlineData(1, 5)]
    [InlineData(1, 31)]
    public void Create_ClipOrBitsOutOfRange_IsRefused(double clip, int bits) => Assert.Throws<ArgumentOutOfRangeException>(() => new UpdateGrid(clip, bits));

    [Fact]
    public void TryClip_LongDelta_HasTheClipAsItsNorm()
    {
        float[] delta = [3, 4];

        Assert.True(UpdateClip.TryClip(delta, 1, out var norm));

        Assert.Equal(5, norm);
        Assert.Equal([0.6f, 0.8f], delta);
    }

    [Fact]
    public void TryClip_ShortOrZeroDelta_IsUntouched()
    {
        float[] delta = [0.3f, -0.4f], zero = [0, 0];

        Assert.True(UpdateClip.TryClip(delta, 0.5000001, out _));
        Assert.True(UpdateClip.TryClip(zero, 1, out var norm));

        Assert.Equal([0.3f, -0.4f], delta);
        Assert.Equal(0, norm);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.NegativeInfinity)]
    public void TryClip_NormThatIsNotFinite_IsRefusedUntouched(float value)
    {
        float[] delta = [1, value];

        Assert.False(UpdateClip.TryClip(delta, 0.5, out _));
        Assert.Equal(1, delta[0]);
    }

    [Fact]
    public void TryClip_SquaresBeyondFloat_HaveTheirNormInDouble()
    {
        float[] delta = [3e38f, 3e38f];

        Assert.True(UpdateClip.TryClip(delta, 1, out var norm));

        Assert.Equal(Math.Sqrt(2) * 3e38, norm, 1e32);
    }

    private static double Norm(float[] update) => Math.Sqrt(update.Sum(x => (double)x * x));

    private static GridScale Scale(UpdateGrid grid, float[] update) => grid.Fit(Norm(update), factor => UpdateGrid.SumOfSquares(update, factor));

    private static long[] Contribution(UpdateGrid grid, float[] update)
    {
        var sums = new long[update.Length];
        UpdateGrid.Accumulate(update, Scale(grid, update), sums);
        return sums;
    }

    private static BigInteger Squares(IEnumerable<long> values) => values.Aggregate(BigInteger.Zero, (sum, value) => sum + ((BigInteger)value * value));
}
