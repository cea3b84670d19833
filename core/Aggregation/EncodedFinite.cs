using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace FedServerless.Aggregation;

/// <summary>
/// Checks, without a branch a vector, that encoded values are neither NaN nor infinite: a value is finite exactly when its
/// bits without the sign, as an integer, are below those of infinity. Empty spans are finite.
/// </summary>
internal static class EncodedFinite
{
    private const int Magnitude = 0x7FFF_FFFF;
    private const int Infinity = 0x7F80_0000;
    private const short HalfMagnitude = 0x7FFF;
    private const short HalfInfinity = 0x7C00;

    /// <summary>True when no value is NaN or infinite.</summary>
    public static bool AllSingle(ReadOnlySpan<float> values)
    {
        ref var x = ref Unsafe.As<float, int>(ref MemoryMarshal.GetReference(values));
        var n = (nuint)values.Length;
        nuint i = 0;
        var largest = 0;
        if (Vector512.IsHardwareAccelerated)
        {
            var most = Vector512<int>.Zero;
            for (; i + 16 <= n; i += 16)
            {
                most = Vector512.Max(most, Vector512.LoadUnsafe(ref x, i) & Vector512.Create(Magnitude));
            }

            largest = Vector512.GreaterThanOrEqualAny(most, Vector512.Create(Infinity)) ? Infinity : 0;
        }
        else if (Vector128.IsHardwareAccelerated)
        {
            var most = Vector128<int>.Zero;
            for (; i + 4 <= n; i += 4)
            {
                most = Vector128.Max(most, Vector128.LoadUnsafe(ref x, i) & Vector128.Create(Magnitude));
            }

            largest = Vector128.GreaterThanOrEqualAny(most, Vector128.Create(Infinity)) ? Infinity : 0;
        }

        for (; i < n; i++)
        {
            largest = Math.Max(largest, Unsafe.Add(ref x, i) & Magnitude);
        }

        return largest < Infinity;
    }

    /// <summary>True when no IEEE binary16, given by its bits, is NaN or infinite.</summary>
    public static bool AllHalf(ReadOnlySpan<ushort> bits)
    {
        ref var x = ref Unsafe.As<ushort, short>(ref MemoryMarshal.GetReference(bits));
        var n = (nuint)bits.Length;
        nuint i = 0;
        var largest = 0;
        if (Vector512.IsHardwareAccelerated)
        {
            var most = Vector512<short>.Zero;
            for (; i + 32 <= n; i += 32)
            {
                most = Vector512.Max(most, Vector512.LoadUnsafe(ref x, i) & Vector512.Create(HalfMagnitude));
            }

            largest = Vector512.GreaterThanOrEqualAny(most, Vector512.Create(HalfInfinity)) ? HalfInfinity : 0;
        }
        else if (Vector128.IsHardwareAccelerated)
        {
            var most = Vector128<short>.Zero;
            for (; i + 8 <= n; i += 8)
            {
                most = Vector128.Max(most, Vector128.LoadUnsafe(ref x, i) & Vector128.Create(HalfMagnitude));
            }

            largest = Vector128.GreaterThanOrEqualAny(most, Vector128.Create(HalfInfinity)) ? HalfInfinity : 0;
        }

        for (; i < n; i++)
        {
            largest = Math.Max(largest, Unsafe.Add(ref x, i) & HalfMagnitude);
        }

        return largest < HalfInfinity;
    }
}
