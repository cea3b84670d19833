using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using FedServerless.Numerics;

namespace FedServerless.Aggregation.Robust;

/// <summary>
/// Inner products of rows of doubles, all pairs: sixteen lanes and their tree for each pair, one multiplication and one
/// addition a value, never fused, so that every vector width gives the same bytes.
/// </summary>
internal static class GramKernel
{
    /// <summary>Columns a call takes: six rows of it stay in a first-level cache.</summary>
    public const int Columns = 512;

    /// <summary>Rows are padded to a multiple of this, with zeros.</summary>
    public const int RowGranule = 4;

    // Rows kept in the second-level cache while all others pass.
    private const int Panel = 32;

    /// <summary><c>gram[i·n + j] += Σ rows[i]·rows[j]</c> for i ≤ j &lt; n.</summary>
    /// <param name="rows">Rows of <see cref="Columns"/> values each; as many as <paramref name="n"/> rounded up to <see cref="RowGranule"/>.</param>
    /// <param name="n">Rows that count.</param>
    /// <param name="gram">n × n; only the upper triangle is touched.</param>
    public static void Accumulate(ReadOnlySpan<double> rows, int n, Span<double> gram)
    {
        Debug.Assert(rows.Length >= (n + RowGranule - 1) / RowGranule * RowGranule * Columns && gram.Length == (long)n * n);
        Span<double> tile = stackalloc double[2 * RowGranule];
        for (var panel = 0; panel < n; panel += Panel)
        {
            var end = Math.Min(panel + Panel, n);
            for (var j = panel / RowGranule * RowGranule; j < n; j += RowGranule)
            {
                for (var i = panel; i < end && i < j + RowGranule; i += 2)
                {
                    Products(rows, i, j, tile);
                    Add(tile, i, j, n, gram);
                }
            }
        }
    }

    private static void Add(ReadOnlySpan<double> tile, int i, int j, int n, Span<double> gram)
    {
        for (var a = i; a < Math.Min(i + 2, n); a++)
        {
            for (var b = Math.Max(a, j); b < Math.Min(j + RowGranule, n); b++)
            {
                gram[(a * n) + b] += tile[((a - i) * RowGranule) + b - j];
            }
        }
    }

    /// <summary>Rows i and i+1 with rows j to j+3.</summary>
    private static void Products(ReadOnlySpan<double> rows, int i, int j, Span<double> tile)
    {
        ref var start = ref MemoryMarshal.GetReference(rows);
        ref var a = ref Unsafe.Add(ref start, i * Columns);
        ref var b = ref Unsafe.Add(ref start, j * Columns);
        if (Vector512.IsHardwareAccelerated)
        {
            Products512(ref a, ref b, tile);
            return;
        }

        for (var row = 0; row < 2; row++)
        {
            for (var column = 0; column < RowGranule; column++)
            {
                tile[(row * RowGranule) + column] = Vector256.IsHardwareAccelerated
                    ? Product256(ref Unsafe.Add(ref a, row * Columns), ref Unsafe.Add(ref b, column * Columns))
                    : ProductScalar(ref Unsafe.Add(ref a, row * Columns), ref Unsafe.Add(ref b, column * Columns));
            }
        }
    }

    private static void Products512(ref double a, ref double b, Span<double> tile)
    {
        Vector512<double> p00 = default, p01 = default, p02 = default, p03 = default, p10 = default, p11 = default, p12 = default, p13 = default;
        Vector512<double> q00 = default, q01 = default, q02 = default, q03 = default, q10 = default, q11 = default, q12 = default, q13 = default;
        for (nuint c = 0; c < Columns; c += Reductions.Lanes)
        {
            var (x0, x1) = (Vector512.LoadUnsafe(ref a, c), Vector512.LoadUnsafe(ref a, c + Columns));
            var (y0, y1) = (Vector512.LoadUnsafe(ref a, c + 8), Vector512.LoadUnsafe(ref a, c + Columns + 8));
            var v = Vector512.LoadUnsafe(ref b, c);
            var w = Vector512.LoadUnsafe(ref b, c + 8);
            p00 += x0 * v;
            p10 += x1 * v;
            q00 += y0 * w;
            q10 += y1 * w;
            v = Vector512.LoadUnsafe(ref b, c + Columns);
            w = Vector512.LoadUnsafe(ref b, c + Columns + 8);
            p01 += x0 * v;
            p11 += x1 * v;
            q01 += y0 * w;
            q11 += y1 * w;
            v = Vector512.LoadUnsafe(ref b, c + (2 * Columns));
            w = Vector512.LoadUnsafe(ref b, c + (2 * Columns) + 8);
            p02 += x0 * v;
            p12 += x1 * v;
            q02 += y0 * w;
            q12 += y1 * w;
            v = Vector512.LoadUnsafe(ref b, c + (3 * Columns));
            w = Vector512.LoadUnsafe(ref b, c + (3 * Columns) + 8);
            p03 += x0 * v;
            p13 += x1 * v;
            q03 += y0 * w;
            q13 += y1 * w;
        }

        tile[0] = Tree(p00, q00);
        tile[1] = Tree(p01, q01);
        tile[2] = Tree(p02, q02);
        tile[3] = Tree(p03, q03);
        tile[4] = Tree(p10, q10);
        tile[5] = Tree(p11, q11);
        tile[6] = Tree(p12, q12);
        tile[7] = Tree(p13, q13);
    }

    // Lane j takes lane j+8, then j+4, j+2, j+1.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static double Tree(Vector512<double> lanes0, Vector512<double> lanes8)
    {
        var eight = lanes0 + lanes8;
        return Tree(eight.GetLower() + eight.GetUpper());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static double Tree(Vector256<double> four)
    {
        var two = four.GetLower() + four.GetUpper();
        return two[0] + two[1];
    }

    private static double Product256(ref double a, ref double b)
    {
        Vector256<double> p = default, q = default, r = default, s = default;
        for (nuint c = 0; c < Columns; c += Reductions.Lanes)
        {
            p += Vector256.LoadUnsafe(ref a, c) * Vector256.LoadUnsafe(ref b, c);
            q += Vector256.LoadUnsafe(ref a, c + 4) * Vector256.LoadUnsafe(ref b, c + 4);
            r += Vector256.LoadUnsafe(ref a, c + 8) * Vector256.LoadUnsafe(ref b, c + 8);
            s += Vector256.LoadUnsafe(ref a, c + 12) * Vector256.LoadUnsafe(ref b, c + 12);
        }

        return Tree((p + r) + (q + s));
    }

    private static double ProductScalar(ref double a, ref double b)
    {
        Span<double> lanes = stackalloc double[Reductions.Lanes];
        lanes.Clear();
        for (var c = 0; c < Columns; c++)
        {
            lanes[c % Reductions.Lanes] += Unsafe.Add(ref a, c) * Unsafe.Add(ref b, c);
        }

        return LaneKernels.SumTree(lanes);
    }
}
