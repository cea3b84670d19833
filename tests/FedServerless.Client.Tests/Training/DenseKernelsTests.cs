using FedServerless.Client.Training;
using FedServerless.Numerics;

namespace FedServerless.Client.Tests.Training;

public sealed class DenseKernelsTests
{
    /// <summary>Rows, terms, columns: on both sides of a tile, of the rows and of the terms that are taken at once.</summary>
    public static TheoryData<int, int, int> Products => new()
    {
        { 1, 1, 1 },
        { 3, 2, TileKernels.Columns - 1 },
        { 5, 3, TileKernels.Columns },
        { 6, 64, TileKernels.Columns + 1 },
        { 7, 65, (2 * TileKernels.Columns) - 1 },
        { 24, 5, 2 * TileKernels.Columns },
        { 25, 129, (3 * TileKernels.Columns) + 7 },
        { 50, 1, 100 },
    };

    // A scalar twin in double; the factors lie row by row, and as a transposed matrix does.
    [Theory]
    [MemberData(nameof(Products))]
    public void SumScaledRows_AnyShape_IsItsScalarTwin(int rows, int terms, int columns)
    {
        var random = new DeterministicRandom(columns);
        var (a, b, before) = (Draw(random, rows * terms), Draw(random, terms * columns), Draw(random, rows * columns));
        foreach (var (rowStride, termStride) in new[] { (terms, 1), (1, rows) })
        {
            foreach (var accumulate in new[] { false, true })
            {
                var after = (float[])before.Clone();

                DenseKernels.SumScaledRows(a, rowStride, termStride, b, after, rows, terms, columns, accumulate);

                var worst = 0.0;
                for (var i = 0; i < after.Length; i++)
                {
                    var sum = accumulate ? before[i] : 0.0;
                    for (var k = 0; k < terms; k++)
                    {
                        sum += (double)a[(i / columns * rowStride) + (k * termStride)] * b[(k * columns) + (i % columns)];
                    }

                    worst = Math.Max(worst, Math.Abs(after[i] - sum));
                }

                Assert.InRange(worst, 0, 1e-4);
            }
        }
    }

    // Whatever a register leaves over at the end of a row, and a tile at the last rows.
    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(2, 7, 3)]
    [InlineData(3, 8, 4)]
    [InlineData(5, 15, 5)]
    [InlineData(4, 16, 9)]
    [InlineData(1, 17, 2)]
    [InlineData(7, 48, 6)]
    [InlineData(3, 100, 5)]
    public void MultiplyTransposed_AnyShape_IsItsScalarTwin(int rows, int inputs, int outputs)
    {
        var random = new DeterministicRandom(inputs);
        var (x, w, y) = (Draw(random, rows * inputs), Draw(random, outputs * inputs), new float[rows * outputs]);

        DenseKernels.MultiplyTransposed(x, w, y, rows, inputs, outputs);

        Assert.All(y, (value, at) => Assert.Equal(
            Enumerable.Range(0, inputs).Sum(j => (double)x[(at / outputs * inputs) + j] * w[(at % outputs * inputs) + j]), value, 1e-4));
    }

    private static float[] Draw(DeterministicRandom random, int length) => [.. Enumerable.Range(0, length).Select(_ => (float)random.NextGaussian())];
}
