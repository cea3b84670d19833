using FedServerless.Core.Tests.Oracles;
using FedServerless.Numerics;

namespace FedServerless.Core.Tests.Numerics;

public class ReductionsTests
{
    public static TheoryData<int> Lengths => Vectors.Lengths;

    private static IReadOnlyList<ReductionOracle> Oracles { get; } = Oracle.Load<ReductionOracle>("reductions.json");

    [Fact]
    public void SumOfSquares_SmallVector_IsTheSumByHand() => Assert.Equal(3 * 3 + 4 * 4, Reductions.SumOfSquares([3f, -4f]));

    [Fact]
    public void Dot_SmallVectors_IsTheProductByHand() => Assert.Equal(-10, Reductions.Dot([1f, 2f, 3f], [5f, 0f, -5f]));

    [Fact]
    public void Norm_PythagoreanTriple_IsExact() => Assert.Equal(5, Reductions.Norm([3f, -4f]));

    [Fact]
    public void SumOfSquaresAndDot_AgainstNumpy_HaveTheSameBits() => Assert.All(Oracles, oracle =>
    {
        var values = Weyl(oracle.Length + 1);
        Assert.Equal(oracle.SumOfSquares, Reductions.SumOfSquares(values.AsSpan(0, oracle.Length)));
        Assert.Equal(oracle.Dot, Reductions.Dot(values.AsSpan(0, oracle.Length), values.AsSpan(1)));
    });

    [Fact]
    public void SumOfSquaresAndDot_AgainstTheExactSum_StayWithinTheStatedBound() => Assert.All(Oracles, oracle =>
    {
        var bound = (4100 + (oracle.Length / 65_536.0)) * Math.ScaleB(1, -53);
        Assert.True(Math.Abs(oracle.SumOfSquares - oracle.ExactSumOfSquares) <= bound * oracle.ExactSumOfSquares);
        Assert.True(Math.Abs(oracle.Dot - oracle.ExactDot) <= bound * oracle.Magnitude);
    });

    [Theory]
    [MemberData(nameof(Lengths))]
    public void Dot_AnyLength_HasTheBitsOfTheScalarTwin(int length)
    {
        var x = Vectors.Wild(length, seed: length);
        var y = Vectors.Wild(length, seed: length + 1);

        Assert.Equal(Twin(x, y), Reductions.Dot(x, y));
    }

    [Theory]
    [InlineData(65_535)]
    [InlineData(65_536)]
    [InlineData(65_537)]
    [InlineData(2 * 65_536 + 17)]
    public void Dot_AcrossSuperBlocks_HasTheBitsOfTheScalarTwin(int length)
    {
        var x = Vectors.Mild(length, seed: length);
        var y = Vectors.Mild(length, seed: length + 1);

        Assert.Equal(Twin(x, y), Reductions.Dot(x, y));
    }

    [Fact]
    public void SumOfSquares_LargestValues_DoesNotOverflow() =>
        Assert.Equal(20 * ((double)float.MaxValue * float.MaxValue), Reductions.SumOfSquares(Enumerable.Repeat(float.MaxValue, 20).ToArray()), 1e62);

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void Norm_OneValueNotFinite_IsNotFinite(float poison)
    {
        var values = Vectors.Mild(100, seed: 3);
        values[61] = poison;

        Assert.False(double.IsFinite(Reductions.Norm(values)));
    }

    [Fact]
    public void Dot_AnotherLength_Throws() => Assert.Throws<ArgumentOutOfRangeException>(() => Reductions.Dot([1f], [1f, 2f]));

    [Fact]
    public void RunningTotal_AnyPieces_HasTheBitsOfTheWhole()
    {
        var values = Vectors.Mild((2 * 65_536) + 333, seed: 5);
        var random = new Random(6);
        foreach (var most in new[] { 1, 15, 17, 1024, 65_536, 100_000 })
        {
            var running = new RunningSumOfSquares();
            for (var start = 0; start < values.Length;)
            {
                var length = Math.Min(random.Next(most + 1), values.Length - start);
                running.Add(values.AsSpan(start, length));
                start += length;
            }

            Assert.Equal(Reductions.SumOfSquares(values), running.Total);
        }
    }

    [Fact]
    public void RunningTotal_ReadInTheMiddle_DoesNotDisturbTheSum()
    {
        var values = Vectors.Mild(100, seed: 5);
        var running = new RunningSumOfSquares();
        running.Add(values.AsSpan(0, 37));

        Assert.Equal(Reductions.SumOfSquares(values.AsSpan(0, 37)), running.Total);
        running.Add(values.AsSpan(37));

        Assert.Equal(Reductions.Norm(values), running.Norm);
    }

    [Fact]
    public void RunningTotal_NothingAdded_IsZero() => Assert.Equal(0, new RunningSumOfSquares().Total);

    // The contract, word by word.
    private static double Twin(float[] x, float[] y)
    {
        double total = 0;
        for (var start = 0; start < x.Length; start += 65_536)
        {
            var lanes = new double[16];
            for (var i = start; i < Math.Min(start + 65_536, x.Length); i++)
            {
                var product = (double)x[i] * y[i];
                lanes[i % 16] += product;
            }

            double Pair(int j) => lanes[j] + lanes[j + 8];
            double Quad(int j) => Pair(j) + Pair(j + 4);
            total += (Quad(0) + Quad(2)) + (Quad(1) + Quad(3));
        }

        return total;
    }

    private static float[] Weyl(int length) =>
        [.. Enumerable.Range(0, length).Select(i => (float)(((uint)i * 2654435761u / 4294967296.0) - 0.5))];

    private sealed record ReductionOracle(int Length, double SumOfSquares, double ExactSumOfSquares, double Dot, double ExactDot, double Magnitude);
}
