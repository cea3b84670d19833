using System.Runtime.Intrinsics;
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
    public void Multiply_AnyShapeAndRegister_IsItsScalarTwin(int rowCount, int runs, int length)
    {
        Compare<PreferredLanes>(rowCount, runs, length);
        Compare<WidestLanes>(rowCount, runs, length);
    }

    // One order of terms, one multiply-add each: how many columns are done at once does not show.
    [Fact]
    public void Multiply_RegistersOfTwoWidths_GiveTheSameBytes()
    {
        Assert.SkipUnless(Vector512.IsHardwareAccelerated, "This machine has no registers of 512 bits.");
        var random = new DeterministicRandom(1);
        var (a, b) = (Draw(random, 500), Draw(random, 50 * 64));
        int[] rows = [0, 1, 2, 3, 4, 5, 6, 7];
        var (wide, widest) = (new float[rows.Length * 32], new float[rows.Length * 32]);

        TileKernels.Multiply<WidestLanes>(a, 200, 3, rows, b, 25 * 64, 64, 2, 25, widest, 32, 32, accumulate: false);
        var width = 2 * PreferredLanes.Count;
        for (var column = 0; column < 32; column += width)
        {
            TileKernels.Multiply<PreferredLanes>(a, 200, 3, rows, b.AsSpan(column), 25 * 64, 64, 2, 25, wide.AsSpan(column), 32, width, accumulate: false);
        }

        Assert.Equal(widest, wide);
    }

    private static void Compare<T>(int rowCount, int runs, int length)
        where T : struct, ILanes<T>
    {
        const int ARun = 41, AStep = 3, BRun = 301, CStride = 67;
        var width = 2 * T.Count;
        var bStep = width + 1;
        var random = new DeterministicRandom(rowCount);
        var rows = Enumerable.Range(0, rowCount).Select(_ => random.NextInt(50)).ToArray();
        var a = Draw(random, 50 + (runs * ARun) + (length * AStep));
        var b = Draw(random, (runs * BRun) + (length * bStep) + width);
        for (var columns = 1; columns <= width; columns++)
        {
            foreach (var accumulate in new[] { false, true })
            {
                var before = Draw(random, rowCount * CStride);
                var after = (float[])before.Clone();

                TileKernels.Multiply<T>(a, ARun, AStep, rows, b, BRun, bStep, runs, length, after, CStride, columns, accumulate);

                var worst = after.Select((value, at) => Math.Abs(value - Expected(at / CStride, at % CStride))).Max();
                Assert.InRange(worst, 0, 1e-4);

                double Expected(int row, int column)
                {
                    if (column >= columns)
                    {
                        return before[(row * CStride) + column];
                    }

                    var sum = accumulate ? before[(row * CStride) + column] : 0.0;
                    for (var term = 0; term < runs * length; term++)
                    {
                        var (run, place) = (term / length, term % length);
                        sum += (double)a[rows[row] + (run * ARun) + (place * AStep)] * b[(run * BRun) + (place * bStep) + column];
                    }

                    return sum;
                }
            }
        }
    }

    private static float[] Draw(DeterministicRandom random, int length) => [.. Enumerable.Range(0, length).Select(_ => (float)random.NextGaussian())];
}
