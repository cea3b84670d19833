using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace FedServerless.Numerics;

/// <summary>The two steps of <see cref="Reductions"/>: sixteen lanes, then their tree.</summary>
internal static class LaneKernels
{
    /// <summary><c>lanes[i mod 16] += (double)x[i]·(double)y[i]</c> in ascending <c>i</c>. The inputs may be the same.</summary>
    public static void AddProducts(ReadOnlySpan<float> x, ReadOnlySpan<float> y, Span<double> lanes)
    {
        Debug.Assert(x.Length == y.Length && lanes.Length == Reductions.Lanes);
        var done = Vector512.IsHardwareAccelerated ? AddProducts512(x, y, lanes)
            : Vector256.IsHardwareAccelerated ? AddProducts256(x, y, lanes)
            : 0;
        for (var i = done; i < x.Length; i++)
        {
            lanes[i % Reductions.Lanes] += (double)x[i] * y[i];
        }
    }

    /// <summary><c>lanes[i mod 16] += (double)|x[i]|</c> in ascending <c>i</c>.</summary>
    public static void AddMagnitudes(ReadOnlySpan<float> x, Span<double> lanes)
    {
        Debug.Assert(lanes.Length == Reductions.Lanes);
        var i = 0;
        if (Vector256.IsHardwareAccelerated)
        {
            ref var a = ref MemoryMarshal.GetReference(x);
            ref var l = ref MemoryMarshal.GetReference(lanes);
            var (lanes0, lanes4) = (Vector256.LoadUnsafe(ref l, 0), Vector256.LoadUnsafe(ref l, 4));
            var (lanes8, lanes12) = (Vector256.LoadUnsafe(ref l, 8), Vector256.LoadUnsafe(ref l, 12));
            for (; i + Reductions.Lanes <= x.Length; i += Reductions.Lanes)
            {
                lanes0 += Vector256.Abs(Widen256(ref a, (nuint)i));
                lanes4 += Vector256.Abs(Widen256(ref a, (nuint)i + 4));
                lanes8 += Vector256.Abs(Widen256(ref a, (nuint)i + 8));
                lanes12 += Vector256.Abs(Widen256(ref a, (nuint)i + 12));
            }

            lanes0.StoreUnsafe(ref l, 0);
            lanes4.StoreUnsafe(ref l, 4);
            lanes8.StoreUnsafe(ref l, 8);
            lanes12.StoreUnsafe(ref l, 12);
        }

        for (; i < x.Length; i++)
        {
            lanes[i % Reductions.Lanes] += Math.Abs((double)x[i]);
        }
    }

    /// <summary>Lane <c>j</c> takes lane <c>j+8</c>, then <c>j+4</c>, <c>j+2</c>, <c>j+1</c>. Destroys the lanes.</summary>
    public static double SumTree(Span<double> lanes)
    {
        for (var half = Reductions.Lanes / 2; half > 0; half /= 2)
        {
            for (var j = 0; j < half; j++)
            {
                lanes[j] += lanes[j + half];
            }
        }

        return lanes[0];
    }

    private static int AddProducts512(ReadOnlySpan<float> x, ReadOnlySpan<float> y, Span<double> lanes)
    {
        ref var a = ref MemoryMarshal.GetReference(x);
        ref var b = ref MemoryMarshal.GetReference(y);
        ref var l = ref MemoryMarshal.GetReference(lanes);
        var lanes0 = Vector512.LoadUnsafe(ref l, 0);
        var lanes8 = Vector512.LoadUnsafe(ref l, 8);
        var whole = (nuint)(x.Length & ~(Reductions.Lanes - 1));
        for (nuint i = 0; i < whole; i += 16)
        {
            lanes0 += Widen512(ref a, i) * Widen512(ref b, i);
            lanes8 += Widen512(ref a, i + 8) * Widen512(ref b, i + 8);
        }

        lanes0.StoreUnsafe(ref l, 0);
        lanes8.StoreUnsafe(ref l, 8);
        return (int)whole;
    }

    private static int AddProducts256(ReadOnlySpan<float> x, ReadOnlySpan<float> y, Span<double> lanes)
    {
        ref var a = ref MemoryMarshal.GetReference(x);
        ref var b = ref MemoryMarshal.GetReference(y);
        ref var l = ref MemoryMarshal.GetReference(lanes);
        var lanes0 = Vector256.LoadUnsafe(ref l, 0);
        var lanes4 = Vector256.LoadUnsafe(ref l, 4);
        var lanes8 = Vector256.LoadUnsafe(ref l, 8);
        var lanes12 = Vector256.LoadUnsafe(ref l, 12);
        var whole = (nuint)(x.Length & ~(Reductions.Lanes - 1));
        for (nuint i = 0; i < whole; i += 16)
        {
            lanes0 += Widen256(ref a, i) * Widen256(ref b, i);
            lanes4 += Widen256(ref a, i + 4) * Widen256(ref b, i + 4);
            lanes8 += Widen256(ref a, i + 8) * Widen256(ref b, i + 8);
            lanes12 += Widen256(ref a, i + 12) * Widen256(ref b, i + 12);
        }

        lanes0.StoreUnsafe(ref l, 0);
        lanes4.StoreUnsafe(ref l, 4);
        lanes8.StoreUnsafe(ref l, 8);
        lanes12.StoreUnsafe(ref l, 12);
        return (int)whole;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<double> Widen512(ref float source, nuint index) =>
        Vector512.WidenLower(Vector256.LoadUnsafe(ref source, index).ToVector512Unsafe());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<double> Widen256(ref float source, nuint index) =>
        Vector256.WidenLower(Vector128.LoadUnsafe(ref source, index).ToVector256Unsafe());
}
