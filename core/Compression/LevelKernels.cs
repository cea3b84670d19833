using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace FedServerless.Compression;

/// <summary>
/// Linear quantisation to whole levels of a scale. Elementwise apart from a maximum, so the same bytes at any vector width.
/// </summary>
internal static class LevelKernels
{
    // 1.5 · 2²³: adding it to |x| < 2²² leaves round-half-even(x) in the low bits, in two's complement.
    private const float RoundingMagic = 12_582_912f;
    private const int RoundingMagicBits = 0x4B40_0000;

    /// <summary><c>max |values[i]|</c>, 0 for an empty span. Finite values only.</summary>
    public static float MaxMagnitude(ReadOnlySpan<float> values)
    {
        var max = 0f;
        var i = 0;
        if (Vector.IsHardwareAccelerated && values.Length >= Vector<float>.Count)
        {
            ref var source = ref MemoryMarshal.GetReference(values);
            var wide = Vector<float>.Zero;
            for (; i <= values.Length - Vector<float>.Count; i += Vector<float>.Count)
            {
                wide = Vector.Max(wide, Vector.Abs(Vector.LoadUnsafe(ref source, (nuint)i)));
            }

            for (var lane = 0; lane < Vector<float>.Count; lane++)
            {
                max = MathF.Max(max, wide[lane]);
            }
        }

        for (; i < values.Length; i++)
        {
            max = MathF.Max(max, MathF.Abs(values[i]));
        }

        return max;
    }

    /// <summary>
    /// <c>levels[i] = clamp(roundHalfEven(values[i] / scale), −limit, limit)</c> as a signed byte. Finite values, scale above 0,
    /// limit from 1 to 127; equal lengths; no overlap.
    /// </summary>
    public static void Quantize(ReadOnlySpan<float> values, float scale, float limit, Span<byte> levels)
    {
        var i = 0;
        if (Vector.IsHardwareAccelerated)
        {
            ref var source = ref MemoryMarshal.GetReference(values);
            ref var target = ref MemoryMarshal.GetReference(levels);
            var (divisor, most) = (new Vector<float>(scale), new Vector<float>(limit));
            for (; i <= values.Length - Vector<sbyte>.Count; i += Vector<sbyte>.Count)
            {
                var lower = Vector.Narrow(Nearest(ref source, i, 0, divisor, most), Nearest(ref source, i, 1, divisor, most));
                var upper = Vector.Narrow(Nearest(ref source, i, 2, divisor, most), Nearest(ref source, i, 3, divisor, most));
                Vector.AsVectorByte(Vector.Narrow(lower, upper)).StoreUnsafe(ref target, (nuint)i);
            }
        }

        for (; i < values.Length; i++)
        {
            // The division comes before the clamp, so an overflow to infinity clamps as well.
            levels[i] = (byte)(sbyte)MathF.Round(Math.Clamp(values[i] / scale, -limit, limit), MidpointRounding.ToEven);
        }
    }

    /// <summary>
    /// <c>levels[i] = clamp(⌊values[i] / scale + uᵢ⌋, −limit, limit)</c> as a signed byte, <c>uᵢ</c> in [0, 1) a function of the key and
    /// of i alone (<see cref="Lots"/>): the expectation of <c>scale · level</c> is the value. Finite values, scale above 0, limit from 1
    /// to 127; equal lengths; no overlap.
    /// </summary>
    public static void QuantizeAtRandom(ReadOnlySpan<float> values, float scale, float limit, Lots lots, Span<byte> levels)
    {
        var i = 0;
        if (Vector.IsHardwareAccelerated)
        {
            ref var source = ref MemoryMarshal.GetReference(values);
            ref var target = ref MemoryMarshal.GetReference(levels);
            var (divisor, most) = (new Vector<float>(scale), new Vector<float>(limit));
            for (; i <= values.Length - Vector<sbyte>.Count; i += Vector<sbyte>.Count)
            {
                var lower = Vector.Narrow(AtRandom(ref source, i, 0, divisor, most, lots), AtRandom(ref source, i, 1, divisor, most, lots));
                var upper = Vector.Narrow(AtRandom(ref source, i, 2, divisor, most, lots), AtRandom(ref source, i, 3, divisor, most, lots));
                Vector.AsVectorByte(Vector.Narrow(lower, upper)).StoreUnsafe(ref target, (nuint)i);
            }
        }

        for (; i < values.Length; i++)
        {
            // 127 + u may round up to 128, hence the second bound.
            var ratio = Math.Clamp(values[i] / scale, -limit, limit);
            levels[i] = (byte)(sbyte)MathF.Min(MathF.Floor(ratio + lots[i]), limit);
        }
    }

    /// <summary><c>destination[i] = scale · (sbyte)levels[i]</c>. Equal lengths; no overlap.</summary>
    public static void Dequantize(ReadOnlySpan<byte> levels, float scale, Span<float> destination)
    {
        var i = 0;
        if (Vector.IsHardwareAccelerated)
        {
            ref var source = ref MemoryMarshal.GetReference(levels);
            ref var target = ref MemoryMarshal.GetReference(destination);
            var factor = new Vector<float>(scale);
            for (; i <= destination.Length - Vector<sbyte>.Count; i += Vector<sbyte>.Count)
            {
                Vector.Widen(Vector.AsVectorSByte(Vector.LoadUnsafe(ref source, (nuint)i)), out var lower, out var upper);
                Vector.Widen(lower, out var first, out var second);
                Vector.Widen(upper, out var third, out var fourth);
                Store(first, factor, ref target, i, 0);
                Store(second, factor, ref target, i, 1);
                Store(third, factor, ref target, i, 2);
                Store(fourth, factor, ref target, i, 3);
            }
        }

        for (; i < destination.Length; i++)
        {
            destination[i] = scale * (sbyte)levels[i];
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector<int> Nearest(ref float source, int start, int quarter, Vector<float> divisor, Vector<float> limit)
    {
        var values = Vector.LoadUnsafe(ref source, (nuint)(start + (quarter * Vector<float>.Count)));

        // The division comes before the clamp, so an overflow to infinity clamps as well.
        var ratio = Vector.Max(-limit, Vector.Min(values / divisor, limit));
        return Vector.AsVectorInt32(ratio + new Vector<float>(RoundingMagic)) - new Vector<int>(RoundingMagicBits);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector<int> AtRandom(ref float source, int start, int quarter, Vector<float> divisor, Vector<float> limit, Lots lots)
    {
        var at = start + (quarter * Vector<float>.Count);
        var values = Vector.LoadUnsafe(ref source, (nuint)at);
        var ratio = Vector.Max(-limit, Vector.Min(values / divisor, limit));
        return Vector.ConvertToInt32(Vector.Min(Vector.Floor(ratio + lots.Draw(at)), limit));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Vector<int> levels, Vector<float> factor, ref float target, int start, int quarter) =>
        (Vector.ConvertToSingle(levels) * factor).StoreUnsafe(ref target, (nuint)(start + (quarter * Vector<float>.Count)));
}
