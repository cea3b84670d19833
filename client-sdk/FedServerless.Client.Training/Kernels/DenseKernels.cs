using System.Diagnostics;
using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace FedServerless.Client.Training;

/// <summary>
/// The two matrix products a fully connected layer needs, row major, over register tiles. A tile that sticks out at an edge
/// repeats the last row and stores the same value again, so there is one loop and no edge case. Compiled once, fully optimised:
/// a short-lived client would spend its whole round in the first tier, and the same code must make every step's bytes.
/// </summary>
internal static class DenseKernels
{
    // Terms whose rows are read side by side, and rows of the result that share what is read; both by measurement.
    private const int TermsAtOnce = 64;
    private const int RowsAtOnce = 24;

    /// <summary><c>y[i, o] = Σⱼ x[i, j] · w[o, j]</c>: the forward pass, without bias.</summary>
    /// <param name="x">[<paramref name="rows"/>, <paramref name="inputs"/>].</param>
    /// <param name="w">[<paramref name="outputs"/>, <paramref name="inputs"/>].</param>
    /// <param name="y">[<paramref name="rows"/>, <paramref name="outputs"/>]; overlaps neither.</param>
    /// <param name="rows">1 or more.</param>
    /// <param name="inputs">1 or more.</param>
    /// <param name="outputs">1 or more.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void MultiplyTransposed(
        ReadOnlySpan<float> x, ReadOnlySpan<float> w, Span<float> y, int rows, int inputs, int outputs)
    {
        Debug.Assert(x.Length == rows * inputs && w.Length == outputs * inputs && y.Length == rows * outputs);

        // Registers of 512 bits were no faster, since this waits for w; and they would add up in another order.
        ref var x0 = ref MemoryMarshal.GetReference(x);
        ref var w0 = ref MemoryMarshal.GetReference(w);
        var vectorized = inputs - (inputs % Vector<float>.Count);
        for (var o = 0; o < outputs; o += 4)
        {
            var (o1, o2, o3) = (Math.Min(o + 1, outputs - 1), Math.Min(o + 2, outputs - 1), Math.Min(o + 3, outputs - 1));
            ref var wa = ref Unsafe.Add(ref w0, o * inputs);
            ref var wb = ref Unsafe.Add(ref w0, o1 * inputs);
            ref var wc = ref Unsafe.Add(ref w0, o2 * inputs);
            ref var wd = ref Unsafe.Add(ref w0, o3 * inputs);
            for (var i = 0; i < rows; i += 2)
            {
                var i1 = Math.Min(i + 1, rows - 1);
                ref var xa = ref Unsafe.Add(ref x0, i * inputs);
                ref var xb = ref Unsafe.Add(ref x0, i1 * inputs);
                Vector<float> aa = default, ab = default, ac = default, ad = default;
                Vector<float> ba = default, bb = default, bc = default, bd = default;
                for (nuint j = 0; j < (nuint)vectorized; j += (nuint)Vector<float>.Count)
                {
                    var a = Vector.LoadUnsafe(ref xa, j);
                    var b = Vector.LoadUnsafe(ref xb, j);
                    var v = Vector.LoadUnsafe(ref wa, j);
                    aa = Vector.MultiplyAddEstimate(a, v, aa);
                    ba = Vector.MultiplyAddEstimate(b, v, ba);
                    v = Vector.LoadUnsafe(ref wb, j);
                    ab = Vector.MultiplyAddEstimate(a, v, ab);
                    bb = Vector.MultiplyAddEstimate(b, v, bb);
                    v = Vector.LoadUnsafe(ref wc, j);
                    ac = Vector.MultiplyAddEstimate(a, v, ac);
                    bc = Vector.MultiplyAddEstimate(b, v, bc);
                    v = Vector.LoadUnsafe(ref wd, j);
                    ad = Vector.MultiplyAddEstimate(a, v, ad);
                    bd = Vector.MultiplyAddEstimate(b, v, bd);
                }

                y[(i * outputs) + o] = Vector.Sum(aa) + Tail(ref xa, ref wa, vectorized, inputs);
                y[(i * outputs) + o1] = Vector.Sum(ab) + Tail(ref xa, ref wb, vectorized, inputs);
                y[(i * outputs) + o2] = Vector.Sum(ac) + Tail(ref xa, ref wc, vectorized, inputs);
                y[(i * outputs) + o3] = Vector.Sum(ad) + Tail(ref xa, ref wd, vectorized, inputs);
                y[(i1 * outputs) + o] = Vector.Sum(ba) + Tail(ref xb, ref wa, vectorized, inputs);
                y[(i1 * outputs) + o1] = Vector.Sum(bb) + Tail(ref xb, ref wb, vectorized, inputs);
                y[(i1 * outputs) + o2] = Vector.Sum(bc) + Tail(ref xb, ref wc, vectorized, inputs);
                y[(i1 * outputs) + o3] = Vector.Sum(bd) + Tail(ref xb, ref wd, vectorized, inputs);
            }
        }
    }

    /// <summary>
    /// <c>c[m, j] = (accumulate ? c[m, j] : 0) + Σₖ a[m·rowStride + k·termStride] · b[k, j]</c>: weight gradients (a is the layer's
    /// delta, transposed by its strides) and the delta of the layer below (a is the delta as it lies).
    /// </summary>
    /// <param name="a">The factors, reached by the two strides.</param>
    /// <param name="rowStride">Distance in <paramref name="a"/> between rows of <paramref name="c"/>.</param>
    /// <param name="termStride">Distance in <paramref name="a"/> between terms of the sum.</param>
    /// <param name="b">[<paramref name="terms"/>, <paramref name="columns"/>].</param>
    /// <param name="c">[<paramref name="rows"/>, <paramref name="columns"/>]; overlaps neither.</param>
    /// <param name="rows">1 or more.</param>
    /// <param name="terms">1 or more.</param>
    /// <param name="columns">1 or more.</param>
    /// <param name="accumulate">Add to <paramref name="c"/> instead of overwriting it.</param>
    public static void SumScaledRows(
        ReadOnlySpan<float> a, int rowStride, int termStride, ReadOnlySpan<float> b, Span<float> c, int rows, int terms, int columns, bool accumulate)
    {
        Debug.Assert(a.Length == rows * terms && b.Length == terms * columns && c.Length == rows * columns);
        if (columns >= TileKernels.Columns)
        {
            SumScaledRowsInTiles(a, rowStride, termStride, b, c, rows, terms, columns, accumulate);
        }
        else
        {
            SumFewScaledRows(a, rowStride, termStride, b, c, rows, terms, columns, accumulate);
        }
    }

    /// <summary><c>delta[i] = activation[i] &gt; 0 ? delta[i] : 0</c>: ReLU's derivative, zero at zero.</summary>
    public static void MaskInactive(ReadOnlySpan<float> activation, Span<float> delta)
    {
        Debug.Assert(activation.Length == delta.Length);
        ref var a = ref MemoryMarshal.GetReference(activation);
        ref var d = ref MemoryMarshal.GetReference(delta);
        var i = 0;
        for (; i <= delta.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            var active = Vector.GreaterThan(Vector.LoadUnsafe(ref a, (nuint)i), Vector<float>.Zero);
            Vector.ConditionalSelect(active, Vector.LoadUnsafe(ref d, (nuint)i), Vector<float>.Zero).StoreUnsafe(ref d, (nuint)i);
        }

        for (; i < delta.Length; i++)
        {
            delta[i] = activation[i] > 0 ? delta[i] : 0;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Tail(ref float x, ref float w, int from, int to)
    {
        var sum = 0f;
        for (var j = from; j < to; j++)
        {
            sum += Unsafe.Add(ref x, j) * Unsafe.Add(ref w, j);
        }

        return sum;
    }

    /// <summary>Some terms at a time, whose rows are read side by side, and few rows of the result, which share what is read.</summary>
    private static void SumScaledRowsInTiles(
        ReadOnlySpan<float> a, int rowStride, int termStride, ReadOnlySpan<float> b, Span<float> c, int rows, int terms, int columns, bool accumulate)
    {
        var width = TileKernels.Columns;
        Span<int> offsets = stackalloc int[RowsAtOnce];
        Span<float> edge = stackalloc float[RowsAtOnce * width];
        for (var i = 0; i < RowsAtOnce; i++)
        {
            offsets[i] = i * rowStride;
        }

        for (var k = 0; k < terms; k += TermsAtOnce)
        {
            var length = Math.Min(TermsAtOnce, terms - k);
            for (var m = 0; m < rows; m += RowsAtOnce)
            {
                var factors = a[((m * rowStride) + (k * termStride))..];
                var tile = offsets[..Math.Min(RowsAtOnce, rows - m)];
                for (var j = 0; j <= columns - width; j += width)
                {
                    TileKernels.Multiply(
                        factors, 0, termStride, tile, b[((k * columns) + j)..], 0, columns, 1, length, c[((m * columns) + j)..], columns, width, accumulate);
                }

                // The last columns are those of a tile that ends with the row, and overlaps the one before.
                if (columns % width is > 0 and var left)
                {
                    TileKernels.Multiply(
                        factors, 0, termStride, tile, b[(((k + 1) * columns) - width)..], 0, columns, 1, length, edge, width, width, accumulate: false);
                    for (var i = 0; i < tile.Length; i++)
                    {
                        TileKernels.Put(edge.Slice(((i + 1) * width) - left, left), c.Slice(((m + i + 1) * columns) - left, left), accumulate);
                    }
                }
            }

            accumulate = true;
        }
    }

    /// <summary>Fewer columns than a tile has: the same sums, added up in the same order.</summary>
    private static void SumFewScaledRows(
        ReadOnlySpan<float> a, int rowStride, int termStride, ReadOnlySpan<float> b, Span<float> c, int rows, int terms, int columns, bool accumulate)
    {
        Span<float> sum = stackalloc float[columns];
        for (var k = 0; k < terms; k += TermsAtOnce)
        {
            for (var m = 0; m < rows; m++)
            {
                sum.Clear();
                for (var term = k; term < Math.Min(k + TermsAtOnce, terms); term++)
                {
                    TensorPrimitives.MultiplyAddEstimate(b.Slice(term * columns, columns), a[(m * rowStride) + (term * termStride)], sum, sum);
                }

                TileKernels.Put(sum, c.Slice(m * columns, columns), accumulate);
            }

            accumulate = true;
        }
    }
}
