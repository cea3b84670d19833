using FedServerless.Client.Training;
using FedServerless.Numerics;

namespace FedServerless.Client.Tests.Training;

public sealed class TileKernelsTests
{
    // A scalar twin in double; rows on both sides of the tile's six, every number of columns that counts.
    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(5, 1, 7)]
    [InlineData(6, 3, 5)]
    [InlineData(7, 2, 1)]
    [InlineData(13, 4, 3)]
    public void Multiply_AnyShape_IsItsScalarTwin(int rowCount, int runs, int length)
    {
        const int ARun = 41, AStep = 3, BRun = 301, CStride = 67;
        var bStep = TileKernels.Columns + 1;
        var random = new DeterministicRandom(rowCount);
        var rows = Enumerable.Range(0, rowCount).Select(_ => random.NextInt(50)).ToArray();
        var a = Draw(random, 50 + (runs * ARun) + (length * AStep));
        var b = Draw(random, (runs * BRun) + (length * bStep) + TileKernels.Columns);
        for (var columns = 1; columns <= TileKernels.Columns; columns++)
        {
            foreach (var accumulate in new[] { false, true })
            {
                var before = Draw(random, rowCount * CStride);
                var after = (float[])before.Clone();

                TileKernels.Multiply(a, ARun, AStep, rows, b, BRun, bStep, runs, length, after, CStride, columns, accumulate);

                Assert.All(after, (value, at) => Assert.Equal(Expected(at / CStride, at % CStride), value, 1e-4));

                double Expected(int row, int column)
                {
                    if (column >= columns)
                    {
                        return before[(row * CStride) + column];
                    }

                    var sum = accumulate ? before[(row * CStride) + column] : 0.0;
                    for (var (run, term) = (0, 0); run < runs; (run, term) = term + 1 < length ? (run, term + 1) : (run + 1, 0))
                    {
                        sum += (double)a[rows[row] + (run * ARun) + (term * AStep)] * b[(run * BRun) + (term * bStep) + column];
                    }

                    return sum;
                }
            }
        }
    }

    private static float[] Draw(DeterministicRandom random, int length) => [.. Enumerable.Range(0, length).Select(_ => (float)random.NextGaussian())];
}
