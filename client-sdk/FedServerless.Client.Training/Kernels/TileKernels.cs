using System.Diagnostics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace FedServerless.Client.Training;

/// <summary>
/// Sums of scaled rows over register tiles of six rows by two vectors, reached through strides: one kernel is the convolution, its
/// gradient for the weights and its gradient for what came in, none of which copies its image. A sum is taken term by term in a
/// fixed order with a multiply-add each, so that where a processor fuses them, its vector width does not show in the result.
/// </summary>
internal static class TileKernels
{
    /// <summary>Rows of a tile.</summary>
    private const int Rows = 6;

    /// <summary>Columns of a tile, and of a packed panel; what a panel lacks at the right is there, and its sums are dropped.</summary>
    public static int Columns => 2 * (Vector512.IsHardwareAccelerated ? WidestLanes.Count : PreferredLanes.Count);

    /// <summary>
    /// <c>c[i, j] = (accumulate ? c[i, j] : 0) + Σᵣ Σₗ a[rows[i] + r·aRun + l·aStep] · b[r·bRun + l·bStep + j]</c> for one panel of columns.
    /// </summary>
    /// <param name="a">The factors.</param>
    /// <param name="aRun">Distance in <paramref name="a"/> between runs.</param>
    /// <param name="aStep">Distance in <paramref name="a"/> between terms of a run.</param>
    /// <param name="rows">Where each row begins in <paramref name="a"/>; not negative.</param>
    /// <param name="b">The scaled rows; <see cref="Columns"/> values of each are read, however many count.</param>
    /// <param name="bRun">Distance in <paramref name="b"/> between runs.</param>
    /// <param name="bStep">Distance in <paramref name="b"/> between terms of a run.</param>
    /// <param name="runs">1 or more.</param>
    /// <param name="length">Terms of a run, 1 or more.</param>
    /// <param name="c">Rows <paramref name="cStride"/> apart, from the panel's first column on; overlaps neither.</param>
    /// <param name="cStride">Distance between rows of <paramref name="c"/>.</param>
    /// <param name="columns">Columns that count, 1 to <see cref="Columns"/>.</param>
    /// <param name="accumulate">Add to <paramref name="c"/> instead of overwriting it.</param>
    public static void Multiply(
        ReadOnlySpan<float> a, int aRun, int aStep, ReadOnlySpan<int> rows, ReadOnlySpan<float> b, int bRun, int bStep, int runs, int length,
        Span<float> c, int cStride, int columns, bool accumulate)
    {
        if (Vector512.IsHardwareAccelerated)
        {
            Multiply<WidestLanes>(a, aRun, aStep, rows, b, bRun, bStep, runs, length, c, cStride, columns, accumulate);
        }
        else
        {
            Multiply<PreferredLanes>(a, aRun, aStep, rows, b, bRun, bStep, runs, length, c, cStride, columns, accumulate);
        }
    }

    /// <summary>The same in registers of one kind: a panel has two of them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply<T>(
        ReadOnlySpan<float> a, int aRun, int aStep, ReadOnlySpan<int> rows, ReadOnlySpan<float> b, int bRun, int bStep, int runs, int length,
        Span<float> c, int cStride, int columns, bool accumulate)
        where T : struct, ILanes<T>
    {
        var width = 2 * T.Count;
        Debug.Assert(a.Length > TensorPrimitives.Max(rows) + ((runs - 1) * aRun) + ((length - 1) * aStep));
        Debug.Assert(b.Length >= ((runs - 1) * bRun) + ((length - 1) * bStep) + width);
        Debug.Assert(c.Length >= ((rows.Length - 1) * cStride) + columns && columns <= width);
        for (var i = 0; i < rows.Length; i += Rows)
        {
            var tile = rows.Slice(i, Math.Min(Rows, rows.Length - i));
            if (tile.Length == Rows && columns == width)
            {
                Tile<T>(
                    ref MemoryMarshal.GetReference(a), aRun, aStep, ref MemoryMarshal.GetReference(tile), ref MemoryMarshal.GetReference(b), bRun, bStep,
                    runs, length, ref Unsafe.Add(ref MemoryMarshal.GetReference(c), i * cStride), cStride, accumulate);
            }
            else
            {
                Edge<T>(a, aRun, aStep, tile, b, bRun, bStep, runs, length, c[(i * cStride)..], cStride, columns, accumulate);
            }
        }
    }

    /// <summary>Adds to <paramref name="to"/>, or overwrites it.</summary>
    public static void Put(ReadOnlySpan<float> from, Span<float> to, bool accumulate)
    {
        for (var j = 0; j < to.Length; j++)
        {
            to[j] = accumulate ? to[j] + from[j] : from[j];
        }
    }

    /// <summary>A tile that sticks out goes to scratch, and what counts of it to where it belongs; rows past the end repeat the last.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void Edge<T>(
        ReadOnlySpan<float> a, int aRun, int aStep, ReadOnlySpan<int> rows, ReadOnlySpan<float> b, int bRun, int bStep, int runs, int length,
        Span<float> c, int cStride, int columns, bool accumulate)
        where T : struct, ILanes<T>
    {
        var width = 2 * T.Count;
        Span<float> scratch = stackalloc float[Rows * width];
        Span<int> tile = stackalloc int[Rows];
        for (var row = 0; row < Rows; row++)
        {
            tile[row] = rows[Math.Min(row, rows.Length - 1)];
        }

        Tile<T>(
            ref MemoryMarshal.GetReference(a), aRun, aStep, ref MemoryMarshal.GetReference(tile), ref MemoryMarshal.GetReference(b), bRun, bStep, runs, length,
            ref MemoryMarshal.GetReference(scratch), width, accumulate: false);
        for (var row = 0; row < rows.Length; row++)
        {
            Put(scratch.Slice(row * width, columns), c.Slice(row * cStride, columns), accumulate);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Tile<T>(
        ref float a, nint aRun, nint aStep, ref int rows, ref float b, nint bRun, nint bStep, int runs, int length, ref float c, nint cStride, bool accumulate)
        where T : struct, ILanes<T>
    {
        nint row0 = rows, row1 = Unsafe.Add(ref rows, 1), row2 = Unsafe.Add(ref rows, 2);
        nint row3 = Unsafe.Add(ref rows, 3), row4 = Unsafe.Add(ref rows, 4), row5 = Unsafe.Add(ref rows, 5);
        T a0 = default, b0 = default, a1 = default, b1 = default, a2 = default, b2 = default;
        T a3 = default, b3 = default, a4 = default, b4 = default, a5 = default, b5 = default;
        for (var run = 0; run < runs; run++)
        {
            ref var x = ref a;
            ref var y = ref b;
            for (var term = 0; term < length; term++)
            {
                var left = T.Load(ref y);
                var right = T.Load(ref Unsafe.Add(ref y, T.Count));
                var factor = T.Create(Unsafe.Add(ref x, row0));
                a0 = T.MultiplyAdd(factor, left, a0);
                b0 = T.MultiplyAdd(factor, right, b0);
                factor = T.Create(Unsafe.Add(ref x, row1));
                a1 = T.MultiplyAdd(factor, left, a1);
                b1 = T.MultiplyAdd(factor, right, b1);
                factor = T.Create(Unsafe.Add(ref x, row2));
                a2 = T.MultiplyAdd(factor, left, a2);
                b2 = T.MultiplyAdd(factor, right, b2);
                factor = T.Create(Unsafe.Add(ref x, row3));
                a3 = T.MultiplyAdd(factor, left, a3);
                b3 = T.MultiplyAdd(factor, right, b3);
                factor = T.Create(Unsafe.Add(ref x, row4));
                a4 = T.MultiplyAdd(factor, left, a4);
                b4 = T.MultiplyAdd(factor, right, b4);
                factor = T.Create(Unsafe.Add(ref x, row5));
                a5 = T.MultiplyAdd(factor, left, a5);
                b5 = T.MultiplyAdd(factor, right, b5);
                x = ref Unsafe.Add(ref x, aStep);
                y = ref Unsafe.Add(ref y, bStep);
            }

            a = ref Unsafe.Add(ref a, aRun);
            b = ref Unsafe.Add(ref b, bRun);
        }

        Store(ref c, a0, b0, accumulate);
        Store(ref Unsafe.Add(ref c, cStride), a1, b1, accumulate);
        Store(ref Unsafe.Add(ref c, 2 * cStride), a2, b2, accumulate);
        Store(ref Unsafe.Add(ref c, 3 * cStride), a3, b3, accumulate);
        Store(ref Unsafe.Add(ref c, 4 * cStride), a4, b4, accumulate);
        Store(ref Unsafe.Add(ref c, 5 * cStride), a5, b5, accumulate);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<T>(ref float target, T left, T right, bool accumulate)
        where T : struct, ILanes<T>
    {
        if (accumulate)
        {
            left = T.Add(left, T.Load(ref target));
            right = T.Add(right, T.Load(ref Unsafe.Add(ref target, T.Count)));
        }

        T.Store(left, ref target);
        T.Store(right, ref Unsafe.Add(ref target, T.Count));
    }
}
