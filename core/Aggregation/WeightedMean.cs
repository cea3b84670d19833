using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace FedServerless.Aggregation;

/// <summary>
/// Kernels of the weighted mean. Each element is one IEEE multiplication and one IEEE addition in double, never fused, so
/// every vector width and every sharding gives the same bytes. Formulas and bounds: docs/maths/aggregation.md.
/// </summary>
/// <remarks>
/// Inputs and sums must not overlap. Values must be finite: the <c>TryAccumulate…</c> kernels check, <see cref="Accumulate"/>
/// trusts its caller (a NaN makes its own element NaN and no other).
/// </remarks>
public static class WeightedMean
{
    // 4096 values are checked, then folded while they are still in the first-level cache.
    private const int CheckedChunk = 4096;

    /// <summary><c>sum[i] += weight · (double)update[i]</c>.</summary>
    /// <param name="update">Finite values.</param>
    /// <param name="weight">Finite.</param>
    /// <param name="sum">As long as <paramref name="update"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">The lengths differ.</exception>
    public static void Accumulate(ReadOnlySpan<float> update, double weight, Span<double> sum)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(update.Length, sum.Length);
        Fold(new Float32Values(), ref MemoryMarshal.GetReference(update), weight, sum);
    }

    /// <summary><c>sum[i] += weight · (double)value[i]</c> over little-endian float32.</summary>
    /// <param name="values">Four bytes a value.</param>
    /// <param name="weight">Finite.</param>
    /// <param name="sum">One element a value.</param>
    /// <returns>False, with <paramref name="sum"/> undefined, when the length does not fit or a value is not finite.</returns>
    public static bool TryAccumulateFloat32(ReadOnlySpan<byte> values, double weight, Span<double> sum)
    {
        if (values.Length != (long)sum.Length * sizeof(float))
        {
            return false;
        }

        RequireLittleEndian();
        var source = MemoryMarshal.Cast<byte, float>(values);
        for (var start = 0; start < source.Length; start += CheckedChunk)
        {
            var chunk = source.Slice(start, Math.Min(CheckedChunk, source.Length - start));
            if (!EncodedFinite.AllSingle(chunk))
            {
                return false;
            }

            Fold(new Float32Values(), ref MemoryMarshal.GetReference(chunk), weight, sum.Slice(start, chunk.Length));
        }

        return true;
    }

    /// <summary><c>sum[i] += weight · (double)value[i]</c> over little-endian IEEE binary16.</summary>
    /// <param name="values">Two bytes a value.</param>
    /// <param name="weight">Finite.</param>
    /// <param name="sum">One element a value.</param>
    /// <returns>False, with <paramref name="sum"/> undefined, when the length does not fit or a value is not finite.</returns>
    public static bool TryAccumulateFloat16(ReadOnlySpan<byte> values, double weight, Span<double> sum)
    {
        if (values.Length != (long)sum.Length * sizeof(ushort))
        {
            return false;
        }

        RequireLittleEndian();
        var source = MemoryMarshal.Cast<byte, ushort>(values);
        for (var start = 0; start < source.Length; start += CheckedChunk)
        {
            var chunk = source.Slice(start, Math.Min(CheckedChunk, source.Length - start));
            if (!EncodedFinite.AllHalf(chunk))
            {
                return false;
            }

            Fold(new Float16Values(), ref MemoryMarshal.GetReference(chunk), weight, sum.Slice(start, chunk.Length));
        }

        return true;
    }

    /// <summary><c>sum[i] += weight · (double)(scale · value[i])</c>, the inner product rounded to float32 as the codec does.</summary>
    /// <param name="scale">0 or more (not −0), and finite times 127.</param>
    /// <param name="values">−127 to 127.</param>
    /// <param name="weight">Finite.</param>
    /// <param name="sum">As long as <paramref name="values"/>.</param>
    /// <returns>False, with <paramref name="sum"/> untouched, when the lengths differ or scale or a value is out of range.</returns>
    public static bool TryAccumulateInt8(float scale, ReadOnlySpan<sbyte> values, double weight, Span<double> sum)
    {
        if (values.Length != sum.Length || float.IsNegative(scale) || !float.IsFinite(scale * sbyte.MaxValue) || values.Contains(sbyte.MinValue))
        {
            return false;
        }

        Fold(new ScaledInt8Values(scale), ref MemoryMarshal.GetReference(values), weight, sum);
        return true;
    }

    /// <summary><c>sum[i] = sum[i] / totalWeight</c>, in place and in double.</summary>
    /// <param name="sum">What the accumulating kernels left.</param>
    /// <param name="totalWeight">The weights added in the same order as the updates; above 0 and finite.</param>
    /// <exception cref="ArgumentOutOfRangeException">The weight is not above 0, or not finite.</exception>
    public static void Complete(Span<double> sum, double totalWeight)
    {
        if (!(totalWeight > 0) || !double.IsFinite(totalWeight))
        {
            throw new ArgumentOutOfRangeException(nameof(totalWeight), totalWeight, "A total weight is above 0 and finite.");
        }

        ref var s = ref MemoryMarshal.GetReference(sum);
        var n = (nuint)sum.Length;
        nuint i = 0;
        if (Vector512.IsHardwareAccelerated)
        {
            var total = Vector512.Create(totalWeight);
            for (; i + 8 <= n; i += 8)
            {
                (Vector512.LoadUnsafe(ref s, i) / total).StoreUnsafe(ref s, i);
            }
        }
        else if (Vector128.IsHardwareAccelerated)
        {
            var total = Vector128.Create(totalWeight);
            for (; i + 2 <= n; i += 2)
            {
                (Vector128.LoadUnsafe(ref s, i) / total).StoreUnsafe(ref s, i);
            }
        }

        for (; i < n; i++)
        {
            Unsafe.Add(ref s, i) /= totalWeight;
        }
    }

    private static void RequireLittleEndian()
    {
        if (!BitConverter.IsLittleEndian)
        {
            throw new PlatformNotSupportedException("Encoded updates are little-endian and folded in place; this processor is big-endian.");
        }
    }

    private static void Fold<TValues, T>(TValues values, ref T x, double weight, Span<double> sum)
        where TValues : struct, IEncodedValues<T>
        where T : unmanaged
    {
        ref var s = ref MemoryMarshal.GetReference(sum);
        var n = (nuint)sum.Length;
        nuint i = 0;
        if (Vector512.IsHardwareAccelerated)
        {
            var w = Vector512.Create(weight);
            for (; i + 8 <= n; i += 8)
            {
                var wide = Vector512.WidenLower(values.Load256(ref x, i).ToVector512Unsafe());
                (Vector512.LoadUnsafe(ref s, i) + (w * wide)).StoreUnsafe(ref s, i);
            }
        }
        else if (Vector256.IsHardwareAccelerated)
        {
            var w = Vector256.Create(weight);
            for (; i + 4 <= n; i += 4)
            {
                var wide = Vector256.WidenLower(values.Load128(ref x, i).ToVector256Unsafe());
                (Vector256.LoadUnsafe(ref s, i) + (w * wide)).StoreUnsafe(ref s, i);
            }
        }
        else if (Vector128.IsHardwareAccelerated)
        {
            var w = Vector128.Create(weight);
            for (; i + 4 <= n; i += 4)
            {
                var (lower, upper) = Vector128.Widen(values.Load128(ref x, i));
                (Vector128.LoadUnsafe(ref s, i) + (w * lower)).StoreUnsafe(ref s, i);
                (Vector128.LoadUnsafe(ref s, i + 2) + (w * upper)).StoreUnsafe(ref s, i + 2);
            }
        }

        for (; i < n; i++)
        {
            Unsafe.Add(ref s, i) += weight * values.Load(ref x, i);
        }
    }
}
