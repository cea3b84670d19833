using FedServerless.Aggregation.Robust;
using FedServerless.Core.Tests.Numerics;

namespace FedServerless.Core.Tests.Aggregation.Robust;

public sealed class GramTests
{
    public static TheoryData<int, int> Shapes => new MatrixTheoryData<int, int>([1, 2, 3, 4, 5, 31, 32, 33, 67], [1, 15, 16, 17, 511, 512, 513, 1100]);

    [Theory]
    [MemberData(nameof(Shapes))]
    public void TryAccumulate_AnyShape_HasTheBytesOfTheScalarTwin(int clients, int coordinates)
    {
        var updates = Blocks.Random(clients, coordinates, seed: clients + coordinates);

        var gram = Blocks.Gram(updates);

        var (actual, expected) = (new double[clients * clients], Twin(updates));
        for (var i = 0; i < clients * clients; i++)
        {
            actual[i] = gram[i / clients, i % clients];
        }

        Assert.Equal(Vectors.Bits(expected), Vectors.Bits(actual));
    }

    [Fact]
    public void SquaredDistance_OneRowOf1E15_LeavesTheOthersExact()
    {
        var updates = Blocks.Random(9, 700, seed: 3);
        var honest = Blocks.Gram(updates[..8]);
        Array.Fill(updates[8], 1e15f);

        var gram = Blocks.Gram(updates);

        for (var i = 0; i < 8; i++)
        {
            for (var j = 0; j < i; j++)
            {
                Assert.Equal(honest.SquaredDistance(i, j), gram.SquaredDistance(i, j), 1e-11 * honest.SquaredDistance(i, j));
            }
        }
    }

    [Fact]
    public void SquaredDistance_EqualRows_IsExactlyZero()
    {
        var updates = Blocks.Random(5, 300, seed: 4);
        updates[3] = updates[1];

        Assert.Equal(0, Blocks.Gram(updates).SquaredDistance(1, 3));
    }

    [Fact]
    public void IsFinite_SquaresThatOverflow_AreTold()
    {
        var gram = Blocks.Gram(Blocks.Random(3, 10, seed: 5));
        var overflowed = new GramMatrix(1, [double.PositiveInfinity]);

        Assert.True(gram.IsFinite);
        Assert.False(overflowed.IsFinite);
    }

    [Fact]
    public void Mix_AnyMixing_IsTheGramOfTheMixedRows()
    {
        float[][] updates = [[1, 2], [3, -4], [5, 6]];
        var mixing = new RowMixing(2, 3, [0.5, 0.5, 0, 0.25, 0.25, 0.5]);

        var mixed = Blocks.Gram(updates).Mix(mixing);

        // (2, -1) and (3.5, 2.5): 1.5² + 3.5² by hand.
        Assert.Equal(14.5, mixed.SquaredDistance(0, 1), 1e-12);
    }

    [Fact]
    public void Select_SomeRows_KeepsTheirDistances()
    {
        var gram = Blocks.Gram(Blocks.Random(6, 40, seed: 6));

        var some = gram.Select([4, 0, 2]);

        Assert.Equal(gram.SquaredDistance(4, 2), some.SquaredDistance(0, 2));
    }

    /// <summary>Sixteen lanes over 512 columns at a time, their tree, the pieces in order: written down without any vector.</summary>
    private static double[] Twin(float[][] updates)
    {
        var (n, d) = (updates.Length, updates[0].Length);
        var gram = new double[n * n];
        float[] center = [.. Enumerable.Range(0, d).Select(c => updates.Select(update => update[c]).Order().ElementAt((n - 1) / 2))];
        for (var start = 0; start < d; start += 512)
        {
            for (var i = 0; i < n; i++)
            {
                for (var j = i; j < n; j++)
                {
                    var lanes = new double[16];
                    for (var c = start; c < Math.Min(start + 512, d); c++)
                    {
                        lanes[(c - start) % 16] += ((double)updates[i][c] - center[c]) * ((double)updates[j][c] - center[c]);
                    }

                    for (var half = 8; half > 0; half /= 2)
                    {
                        for (var k = 0; k < half; k++)
                        {
                            lanes[k] += lanes[k + half];
                        }
                    }

                    gram[(i * n) + j] += lanes[0];
                    gram[(j * n) + i] = gram[(i * n) + j];
                }
            }
        }

        return gram;
    }
}
