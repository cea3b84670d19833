using System.Diagnostics;
using System.Numerics;
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
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void SumScaledRows(
        ReadOnlySpan<float> a, int rowStride, int termStride, ReadOnlySpan<float> b, Span<float> c, int rows, int terms, int columns, bool accumulate)
    {
        Debug.Assert(a.Length == rows * terms && b.Length == terms * columns && c.Length == rows * columns);
        if (!accumulate)
        {
            c.Clear();
        }

        ref var a0 = ref MemoryMarshal.GetReference(a);
        ref var b0 = ref MemoryMarshal.GetReference(b);
        ref var c0 = ref MemoryMarshal.GetReference(c);
        var width = 2 * Vector<float>.Count;
        var vectorized = columns - (columns % width);
        for (var m = 0; m < rows; m += 4)
        {
            // Rows past the end take no part: repeating the last one would add to it twice.
            var tile = Math.Min(4, rows - m);
            ref var aa = ref Unsafe.Add(ref a0, m * rowStride);
            ref var ab = ref Unsafe.Add(ref a0, (m + Math.Min(1, tile - 1)) * rowStride);
            ref var ac = ref Unsafe.Add(ref a0, (m + Math.Min(2, tile - 1)) * rowStride);
            ref var ad = ref Unsafe.Add(ref a0, (m + Math.Min(3, tile - 1)) * rowStride);
            for (var j = 0; j < vectorized; j += width)
            {
                Vector<float> a1 = default, a2 = default, b1 = default, b2 = default;
                Vector<float> c1 = default, c2 = default, d1 = default, d2 = default;
                ref var row = ref Unsafe.Add(ref b0, j);
                nint offset = 0;
                for (var k = 0; k < terms; k++)
                {
                    var left = Vector.LoadUnsafe(ref row);
                    var right = Vector.LoadUnsafe(ref row, (nuint)Vector<float>.Count);
                    var factor = Vector.Create(Unsafe.Add(ref aa, offset));
                    a1 = Vector.MultiplyAddEstimate(factor, left, a1);
                    a2 = Vector.MultiplyAddEstimate(factor, right, a2);
                    factor = Vector.Create(Unsafe.Add(ref ab, offset));
                    b1 = Vector.MultiplyAddEstimate(factor, left, b1);
                    b2 = Vector.MultiplyAddEstimate(factor, right, b2);
                    factor = Vector.Create(Unsafe.Add(ref ac, offset));
                    c1 = Vector.MultiplyAddEstimate(factor, left, c1);
                    c2 = Vector.MultiplyAddEstimate(factor, right, c2);
                    factor = Vector.Create(Unsafe.Add(ref ad, offset));
                    d1 = Vector.MultiplyAddEstimate(factor, left, d1);
                    d2 = Vector.MultiplyAddEstimate(factor, right, d2);
                    row = ref Unsafe.Add(ref row, columns);
                    offset += termStride;
                }

                ref var target = ref Unsafe.Add(ref c0, (m * columns) + j);
                AddTo(ref target, a1, a2);
                if (tile > 1)
                {
                    AddTo(ref Unsafe.Add(ref target, columns), b1, b2);
                }

                if (tile > 2)
                {
                    AddTo(ref Unsafe.Add(ref target, 2 * columns), c1, c2);
                }

                if (tile > 3)
                {
                    AddTo(ref Unsafe.Add(ref target, 3 * columns), d1, d2);
                }
            }
        }

        SumScaledRowsTail(ref a0, rowStride, termStride, ref b0, ref c0, rows, terms, columns, vectorized);
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

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddTo(ref float target, Vector<float> left, Vector<float> right)
    {
        (Vector.LoadUnsafe(ref target) + left).StoreUnsafe(ref target);
        (Vector.LoadUnsafe(ref target, (nuint)Vector<float>.Count) + right).StoreUnsafe(ref target, (nuint)Vector<float>.Count);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SumScaledRowsTail(
        ref float a, int rowStride, int termStride, ref float b, ref float c, int rows, int terms, int columns, int from)
    {
        for (var m = 0; m < rows; m++)
        {
            for (var j = from; j < columns; j++)
            {
                var sum = 0f;
                for (var k = 0; k < terms; k++)
                {
                    sum += Unsafe.Add(ref a, (m * rowStride) + (k * termStride)) * Unsafe.Add(ref b, (k * columns) + j);
                }

                Unsafe.Add(ref c, (m * columns) + j) += sum;
            }
        }
    }
}
