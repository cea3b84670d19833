using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace FedServerless.Compression;

/// <summary>Picks large deltas out of many. Comparisons and one exact subtraction an element, so the same at any vector width.</summary>
internal static class TopKKernels
{
    private const int Magnitude = 0x7FFF_FFFF;

    /// <summary>
    /// Appends every <c>d = trained[i] − start[i]</c> whose magnitude's bits are <paramref name="threshold"/> or more (so NaN and
    /// infinities too), with <c>first + i</c>, in order; returns how many. Equal lengths, or <paramref name="start"/> empty for
    /// <c>d = trained[i]</c>; room for all of them; no overlap.
    /// </summary>
    /// <remarks>
    /// Sixteen at a time, since at one in a hundred five such groups of six hold none. Choosing and writing one in a hundred takes 7 to
    /// 8 GB/s of deltas on one Zen 5 core whose plain read loop does 31 (docs/how-to/measure.md).
    /// </remarks>
    public static int Collect(
        ReadOnlySpan<float> trained, ReadOnlySpan<float> start, int threshold, int first, Span<int> positions, Span<float> values) => start.IsEmpty
        ? Collect<Stored>(trained, trained, threshold, first, positions, values)
        : Collect<Difference>(trained, start, threshold, first, positions, values);

    private static int Collect<TDelta>(
        ReadOnlySpan<float> trained, ReadOnlySpan<float> start, int threshold, int first, Span<int> positions, Span<float> values)
        where TDelta : struct, IDelta
    {
        var count = 0;
        var i = 0;
        ref var t = ref MemoryMarshal.GetReference(trained);
        ref var s = ref MemoryMarshal.GetReference(start);
        if (Vector256.IsHardwareAccelerated)
        {
            var below = Vector256.Create(threshold - 1);
            for (; i + 16 <= trained.Length; i += 16)
            {
                var low = TDelta.Load(ref t, ref s, (nuint)i);
                var high = TDelta.Load(ref t, ref s, (nuint)i + 8);
                var mask = Above(low, below) | (Above(high, below) << 8);
                for (; mask != 0; mask &= mask - 1)
                {
                    var at = i + BitOperations.TrailingZeroCount(mask);
                    positions[count] = first + at;
                    values[count++] = TDelta.Load(Unsafe.Add(ref t, at), Unsafe.Add(ref s, at));
                }
            }
        }

        for (; i < trained.Length; i++)
        {
            var delta = TDelta.Load(trained[i], start[i]);
            if ((BitConverter.SingleToInt32Bits(delta) & Magnitude) >= threshold)
            {
                positions[count] = first + i;
                values[count++] = delta;
            }
        }

        return count;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Above(Vector256<float> deltas, Vector256<int> below) =>
        Vector256.GreaterThan(deltas.AsInt32() & Vector256.Create(Magnitude), below).ExtractMostSignificantBits();

    private interface IDelta
    {
        static abstract float Load(float trained, float start);

        static abstract Vector256<float> Load(ref float trained, ref float start, nuint index);
    }

    private readonly struct Stored : IDelta
    {
        public static float Load(float trained, float start) => trained;

        public static Vector256<float> Load(ref float trained, ref float start, nuint index) => Vector256.LoadUnsafe(ref trained, index);
    }

    private readonly struct Difference : IDelta
    {
        public static float Load(float trained, float start) => trained - start;

        public static Vector256<float> Load(ref float trained, ref float start, nuint index) =>
            Vector256.LoadUnsafe(ref trained, index) - Vector256.LoadUnsafe(ref start, index);
    }
}
