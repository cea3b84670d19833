using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace FedServerless.Aggregation;

/// <summary>
/// Kernels of the weighted mean. Each element is one IEEE multiplication and one IEEE addition in double, never fused, so
/// every vector width and every sharding gives the same bytes. Formulas and bounds: docs/maths/aggregation.md.
/// </summary>
/// <remarks>
/// Inputs and sums must not overlap. The <c>TryAccumulate…</c> kernels refuse values that are not finite;
/// <see cref="Accumulate"/> trusts its caller (a NaN makes its own element NaN and no other).
/// </remarks>
public static class WeightedMean
{
    // Coordinates of a slice: 128 KiB of sums stay in the second-level cache while all clients pass.
    private const int SliceCoordinates = 16_384;

    /// <summary><c>sum[i] += weight · (double)update[i]</c>.</summary>
    /// <param name="update">Finite values.</param>
    /// <param name="weight">Finite.</param>
    /// <param name="sum">As long as <paramref name="update"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">The lengths differ.</exception>
    public static void Accumulate(ReadOnlySpan<float> update, double weight, Span<double> sum)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(update.Length, sum.Length);
        WeightedFold.One<Float32Values, float>(new(default, update, weight), sum);
    }

    /// <summary>
    /// <c>sum[indices[i]] += weight · (double)values[i]</c>: the bytes of <see cref="Accumulate"/>
    /// over the values with the zeros between them, since a sum that began at +0 is never −0 and a zero more leaves it as it is.
    /// </summary>
    /// <param name="indices">Below the length of <paramref name="sum"/>, each at most once.</param>
    /// <param name="values">As many, finite.</param>
    /// <param name="weight">Finite.</param>
    /// <param name="sum">The sums.</param>
    internal static void AccumulateAt(ReadOnlySpan<int> indices, ReadOnlySpan<float> values, double weight, Span<double> sum)
    {
        for (var i = 0; i < indices.Length; i++)
        {
            sum[indices[i]] += weight * values[i];
        }
    }

    /// <summary><c>sum[i] += weight · (double)value[i]</c> over little-endian float32.</summary>
    /// <param name="values">Four bytes a value, at any address.</param>
    /// <param name="weight">Finite.</param>
    /// <param name="sum">One element a value.</param>
    /// <returns>False, with <paramref name="sum"/> undefined, when the length does not fit or a value is not finite.</returns>
    public static bool TryAccumulateFloat32(ReadOnlySpan<byte> values, double weight, Span<double> sum) =>
        TryAccumulate<Float32Values, float>(values, weight, sum);

    /// <summary><c>sum[i] += weight · (double)value[i]</c> over little-endian IEEE binary16.</summary>
    /// <param name="values">Two bytes a value, at any address.</param>
    /// <param name="weight">Finite.</param>
    /// <param name="sum">One element a value.</param>
    /// <returns>False, with <paramref name="sum"/> undefined, when the length does not fit or a value is not finite.</returns>
    public static bool TryAccumulateFloat16(ReadOnlySpan<byte> values, double weight, Span<double> sum) =>
        TryAccumulate<Float16Values, ushort>(values, weight, sum);

    /// <summary><c>sum[i] += weight · (double)(scale · value[i])</c>, the inner product rounded to float32 as the codec does.</summary>
    /// <param name="scale">0 or more (not −0), and finite times 127.</param>
    /// <param name="values">−127 to 127.</param>
    /// <param name="weight">Finite.</param>
    /// <param name="sum">As long as <paramref name="values"/>.</param>
    /// <returns>False, with <paramref name="sum"/> undefined, when the lengths differ or scale or a value is out of range.</returns>
    public static bool TryAccumulateInt8(float scale, ReadOnlySpan<sbyte> values, double weight, Span<double> sum) =>
        values.Length == sum.Length && Int8Values.IsLegalScale(scale)
        && WeightedFold.One<Int8Values, sbyte>(new(new Int8Values(scale), values, weight), sum);

    /// <summary><c>sum[i] = sum[i] + other[i]</c>, in place and in double: the sums of another chunk of clients.</summary>
    /// <param name="other">What the accumulating kernels left of other clients.</param>
    /// <param name="sum">As long as <paramref name="other"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">The lengths differ.</exception>
    public static void Join(ReadOnlySpan<double> other, Span<double> sum)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(other.Length, sum.Length);
        ref var o = ref MemoryMarshal.GetReference(other);
        ref var s = ref MemoryMarshal.GetReference(sum);
        var n = (nuint)sum.Length;
        nuint i = 0;
        if (Vector128.IsHardwareAccelerated)
        {
            for (; i + 4 <= n; i += 4)
            {
                (Vector256.LoadUnsafe(ref s, i) + Vector256.LoadUnsafe(ref o, i)).StoreUnsafe(ref s, i);
            }
        }

        for (; i < n; i++)
        {
            Unsafe.Add(ref s, i) += Unsafe.Add(ref o, i);
        }
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
        if (Vector128.IsHardwareAccelerated)
        {
            var total = Vector256.Create(totalWeight);
            for (; i + 4 <= n; i += 4)
            {
                (Vector256.LoadUnsafe(ref s, i) / total).StoreUnsafe(ref s, i);
            }
        }

        for (; i < n; i++)
        {
            Unsafe.Add(ref s, i) /= totalWeight;
        }
    }

    /// <summary>Folds one block; false, with the sum undefined, when the block is not legal.</summary>
    internal static bool TryAccumulate<TValues, T>(ReadOnlySpan<byte> block, double weight, Span<double> sum)
        where TValues : struct, IEncodedValues<TValues, T>
        where T : unmanaged =>
        TryOpen<TValues, T>(block, weight, sum.Length, out var term) && WeightedFold.One(term, sum);

    /// <summary>
    /// Folds many blocks in order, to the same bytes as one after another, four at a time in slices that stay in the cache.
    /// False, with the sum undefined, when any block is not legal.
    /// </summary>
    internal static bool TryAccumulateAll<TValues, T>(
        ReadOnlySpan<ReadOnlyMemory<byte>> blocks, ReadOnlySpan<double> weights, Span<double> sum)
        where TValues : struct, IEncodedValues<TValues, T>
        where T : unmanaged
    {
        for (var start = 0; start < sum.Length; start += SliceCoordinates)
        {
            var length = Math.Min(SliceCoordinates, sum.Length - start);
            var slice = sum.Slice(start, length);
            var k = 0;
            for (; k + 4 <= blocks.Length; k += 4)
            {
                if (!TryOpen<TValues, T>(blocks[k].Span, weights[k], sum.Length, out var first)
                    || !TryOpen<TValues, T>(blocks[k + 1].Span, weights[k + 1], sum.Length, out var second)
                    || !TryOpen<TValues, T>(blocks[k + 2].Span, weights[k + 2], sum.Length, out var third)
                    || !TryOpen<TValues, T>(blocks[k + 3].Span, weights[k + 3], sum.Length, out var fourth)
                    || !WeightedFold.Four(
                        first.Slice(start, length), second.Slice(start, length), third.Slice(start, length), fourth.Slice(start, length), slice))
                {
                    return false;
                }
            }

            for (; k < blocks.Length; k++)
            {
                if (!TryOpen<TValues, T>(blocks[k].Span, weights[k], sum.Length, out var term)
                    || !WeightedFold.One(term.Slice(start, length), slice))
                {
                    return false;
                }
            }
        }

        return true;
    }

    private static bool TryOpen<TValues, T>(ReadOnlySpan<byte> block, double weight, int count, out WeightedFold.Term<TValues, T> term)
        where TValues : struct, IEncodedValues<TValues, T>
        where T : unmanaged
    {
        if (!BitConverter.IsLittleEndian)
        {
            throw new PlatformNotSupportedException("Encoded updates are little-endian and folded in place; this processor is big-endian.");
        }

        var legal = TValues.TryOpen(block, count, out var reading, out var values);
        term = new(reading, values, weight);
        return legal;
    }
}
