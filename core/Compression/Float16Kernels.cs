using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace FedServerless.Compression;

/// <summary>
/// float32 to IEEE binary16 and back, elementwise: integer and exactly rounded float operations only, so the bytes are the
/// same at any vector width.
/// </summary>
internal static class Float16Kernels
{
    private const float MaxFinite = 65504f;

    // The bit pattern of 2⁻¹⁴, the smallest normal binary16, in float32.
    private const uint SmallestNormal = 113u << 23;

    // 0.5f: its last place weighs 2⁻²⁴, as the last place of a subnormal binary16 does, so adding it rounds there.
    private const uint SubnormalMagic = 126u << 23;

    // Moves the exponent bias from 127 to 15 and adds just under half a unit of the 13 bits dropped.
    private const uint RebiasAndHalf = unchecked(((uint)(15 - 127) << 23) + 0xFFF);

    private const uint Rebias = (127 - 15) << 23;
    private const uint SignBit = 0x8000_0000;
    private const uint HalfExponent = 0x7C00;

    /// <summary>
    /// <c>destination[2i .. 2i+2) = binary16(clamp(values[i], −65504, 65504))</c>, nearest even. Finite values only; exactly 2
    /// bytes a value; no overlap.
    /// </summary>
    public static void Narrow(ReadOnlySpan<float> values, Span<byte> destination)
    {
        var i = 0;
        if (Vector.IsHardwareAccelerated && BitConverter.IsLittleEndian)
        {
            ref var source = ref MemoryMarshal.GetReference(values);
            ref var target = ref MemoryMarshal.GetReference(destination);
            for (; i <= values.Length - Vector<ushort>.Count; i += Vector<ushort>.Count)
            {
                var low = Narrow(Vector.LoadUnsafe(ref source, (nuint)i));
                var high = Narrow(Vector.LoadUnsafe(ref source, (nuint)(i + Vector<float>.Count)));
                Vector.AsVectorByte(Vector.Narrow(low, high)).StoreUnsafe(ref target, (nuint)(2 * i));
            }
        }

        for (; i < values.Length; i++)
        {
            var half = (Half)Math.Clamp(values[i], -MaxFinite, MaxFinite);
            BinaryPrimitives.WriteHalfLittleEndian(destination[(2 * i)..], half);
        }
    }

    /// <summary>
    /// <c>destination[i] = (float)binary16(block[2i .. 2i+2))</c>; false, with the destination undefined, if any is NaN or
    /// infinite. Exactly 2 bytes a value; no overlap.
    /// </summary>
    public static bool TryWiden(ReadOnlySpan<byte> block, Span<float> destination)
    {
        var i = 0;
        if (Vector.IsHardwareAccelerated && BitConverter.IsLittleEndian)
        {
            ref var source = ref MemoryMarshal.GetReference(block);
            ref var target = ref MemoryMarshal.GetReference(destination);
            var exponent = new Vector<ushort>((ushort)HalfExponent);
            for (; i <= destination.Length - Vector<ushort>.Count; i += Vector<ushort>.Count)
            {
                var halves = Vector.AsVectorUInt16(Vector.LoadUnsafe(ref source, (nuint)(2 * i)));
                if (Vector.EqualsAny(halves & exponent, exponent))
                {
                    return false;
                }

                Vector.Widen(halves, out var low, out var high);
                Widen(low).StoreUnsafe(ref target, (nuint)i);
                Widen(high).StoreUnsafe(ref target, (nuint)(i + Vector<float>.Count));
            }
        }

        for (; i < destination.Length; i++)
        {
            var half = BinaryPrimitives.ReadHalfLittleEndian(block[(2 * i)..]);
            if (!Half.IsFinite(half))
            {
                return false;
            }

            destination[i] = (float)half;
        }

        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector<uint> Narrow(Vector<float> values)
    {
        var sign = Vector.AsVectorUInt32(values) & new Vector<uint>(SignBit);
        var magnitude = Vector.Min(Vector.Abs(values), new Vector<float>(MaxFinite));
        var bits = Vector.AsVectorUInt32(magnitude);

        var odd = (bits >>> 13) & Vector<uint>.One;
        var normal = (bits + new Vector<uint>(RebiasAndHalf) + odd) >>> 13;

        var magic = new Vector<uint>(SubnormalMagic);
        var subnormal = Vector.AsVectorUInt32(magnitude + Vector.AsVectorSingle(magic)) - magic;

        var isSubnormal = Vector.LessThan(bits, new Vector<uint>(SmallestNormal));
        return Vector.ConditionalSelect(isSubnormal, subnormal, normal) | (sign >>> 16);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector<float> Widen(Vector<uint> halves)
    {
        var sign = (halves & new Vector<uint>(0x8000)) << 16;
        var shifted = (halves & new Vector<uint>(0x7FFF)) << 13;
        var normal = shifted + new Vector<uint>(Rebias);

        // 2⁻¹⁴ + mantissa, then minus 2⁻¹⁴: exact, and no subnormal float32 is ever an operand (those are slow on many cores).
        var smallest = new Vector<uint>(SmallestNormal);
        var subnormal = Vector.AsVectorUInt32(Vector.AsVectorSingle(shifted + smallest) - Vector.AsVectorSingle(smallest));

        var isSubnormal = Vector.LessThan(shifted, new Vector<uint>(1u << 23));
        return Vector.AsVectorSingle(Vector.ConditionalSelect(isSubnormal, subnormal, normal) | sign);
    }
}
