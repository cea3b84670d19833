using System.Buffers.Binary;
using System.Diagnostics;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace FedServerless.Compression;

/// <summary>Small levels to bits and back; integer operations only, so the same bytes at any vector width.</summary>
internal static class PackingKernels
{
    /// <summary>Levels of −1, 0 and 1 that share a byte: 3⁵ = 243.</summary>
    public const int ThirdsAByte = 5;

    /// <summary>Bytes that <see cref="TryUnpackThirds"/> may write beyond the last level.</summary>
    public const int ThirdsOverhang = 3;

    private const int ThirdsBytes = 243;

    // For each byte its five levels, in the lower five bytes; the place of a byte that is refused holds none.
    private static readonly ulong[] Thirds = MakeThirds();

    /// <summary><c>packed[j] = (levels[2j] &amp; 15) | (levels[2j+1] &amp; 15) &lt;&lt; 4</c>. Twice as many levels as bytes; no overlap.</summary>
    public static void PackHalves(ReadOnlySpan<byte> levels, Span<byte> packed)
    {
        Debug.Assert(levels.Length == 2 * packed.Length);
        var j = 0;
        if (Vector.IsHardwareAccelerated && BitConverter.IsLittleEndian)
        {
            ref var source = ref MemoryMarshal.GetReference(levels);
            ref var target = ref MemoryMarshal.GetReference(packed);
            for (; j <= packed.Length - Vector<byte>.Count; j += Vector<byte>.Count)
            {
                var first = Vector.AsVectorUInt16(Vector.LoadUnsafe(ref source, (nuint)(2 * j)));
                var second = Vector.AsVectorUInt16(Vector.LoadUnsafe(ref source, (nuint)((2 * j) + Vector<byte>.Count)));
                Vector.Narrow(Halves(first), Halves(second)).StoreUnsafe(ref target, (nuint)j);
            }
        }

        for (; j < packed.Length; j++)
        {
            packed[j] = (byte)((levels[2 * j] & 15) | (levels[(2 * j) + 1] << 4));
        }
    }

    /// <summary>The reverse of <see cref="PackHalves"/>, levels as signed bytes; false, with the levels undefined, when one is −8.</summary>
    public static bool TryUnpackHalves(ReadOnlySpan<byte> packed, Span<byte> levels)
    {
        Debug.Assert(levels.Length == 2 * packed.Length);
        var j = 0;
        if (Vector.IsHardwareAccelerated && BitConverter.IsLittleEndian)
        {
            ref var source = ref MemoryMarshal.GetReference(packed);
            ref var target = ref MemoryMarshal.GetReference(levels);
            var eight = new Vector<byte>(8);
            for (; j <= packed.Length - Vector<byte>.Count; j += Vector<byte>.Count)
            {
                Vector.Widen(Vector.LoadUnsafe(ref source, (nuint)j), out var lower, out var upper);
                var (first, second) = (Spread(lower), Spread(upper));
                if (Vector.EqualsAny(first, eight) || Vector.EqualsAny(second, eight))
                {
                    return false;
                }

                ((first ^ eight) - eight).StoreUnsafe(ref target, (nuint)(2 * j));
                ((second ^ eight) - eight).StoreUnsafe(ref target, (nuint)((2 * j) + Vector<byte>.Count));
            }
        }

        for (; j < packed.Length; j++)
        {
            if ((packed[j] & 15) == 8 || packed[j] >> 4 == 8)
            {
                return false;
            }

            levels[2 * j] = (byte)(((packed[j] & 15) ^ 8) - 8);
            levels[(2 * j) + 1] = (byte)((packed[j] >> 4 ^ 8) - 8);
        }

        return true;
    }

    /// <summary><c>packed[j] = Σ (levels[5j+t] + 1) · 3ᵗ</c>. Five times as many levels as bytes, each −1, 0 or 1; no overlap.</summary>
    public static void PackThirds(ReadOnlySpan<byte> levels, Span<byte> packed)
    {
        Debug.Assert(levels.Length == ThirdsAByte * packed.Length);
        for (var j = 0; j < packed.Length; j++)
        {
            var five = levels.Slice(ThirdsAByte * j, ThirdsAByte);

            // 121 = 1 + 3 + 9 + 27 + 81: the ones that are added.
            packed[j] = (byte)(121 + (sbyte)five[0] + (3 * (sbyte)five[1]) + (9 * (sbyte)five[2]) + (27 * (sbyte)five[3]) + (81 * (sbyte)five[4]));
        }
    }

    /// <summary>
    /// The reverse of <see cref="PackThirds"/>; false, with the levels undefined, for a byte of 243 or more. Writes up to
    /// <see cref="ThirdsOverhang"/> bytes past the last level.
    /// </summary>
    public static bool TryUnpackThirds(ReadOnlySpan<byte> packed, Span<byte> levels)
    {
        var largest = 0;
        for (var j = 0; j < packed.Length; j++)
        {
            largest = Math.Max(largest, packed[j]);
            BinaryPrimitives.WriteUInt64LittleEndian(levels[(ThirdsAByte * j)..], Thirds[packed[j]]);
        }

        return largest < ThirdsBytes;
    }

    /// <summary>Bit <c>i mod 8</c> of <c>packed[i/8]</c> is the sign bit of <c>values[i]</c>; the bits left over are 0.</summary>
    public static void PackSigns(ReadOnlySpan<float> values, Span<byte> packed)
    {
        Debug.Assert(packed.Length == (values.Length + 7) / 8);
        var i = 0;
        ref var source = ref MemoryMarshal.GetReference(values);
        for (; i + 8 <= values.Length; i += 8)
        {
            packed[i / 8] = (byte)Vector256.LoadUnsafe(ref source, (nuint)i).ExtractMostSignificantBits();
        }

        if (i < values.Length)
        {
            packed[i / 8] = 0;
            for (; i < values.Length; i++)
            {
                packed[i / 8] |= (byte)(float.IsNegative(values[i]) ? 1 << (i & 7) : 0);
            }
        }
    }

    /// <summary><c>destination[i] = bit i of packed ? −scale : scale</c>.</summary>
    public static void UnpackSigns(ReadOnlySpan<byte> packed, float scale, Span<float> destination)
    {
        Debug.Assert(packed.Length == (destination.Length + 7) / 8);
        var i = 0;
        ref var target = ref MemoryMarshal.GetReference(destination);
        var magnitude = Vector256.Create(scale).AsUInt32();

        // Multiplied by its power of two, each lane's own bit comes to the top.
        var powers = Vector256.Create(1u << 31, 1u << 30, 1u << 29, 1u << 28, 1u << 27, 1u << 26, 1u << 25, 1u << 24);
        for (; i + 8 <= destination.Length; i += 8)
        {
            var signs = Vector256.Create((uint)packed[i / 8]) * powers & Vector256.Create(0x8000_0000u);
            (magnitude | signs).AsSingle().StoreUnsafe(ref target, (nuint)i);
        }

        for (; i < destination.Length; i++)
        {
            destination[i] = (packed[i / 8] >> (i & 7) & 1) == 0 ? scale : -scale;
        }
    }

    private static Vector<ushort> Halves(Vector<ushort> pairs) =>
        (pairs & new Vector<ushort>(0x000F)) | ((pairs >>> 4) & new Vector<ushort>(0x00F0));

    private static Vector<byte> Spread(Vector<ushort> bytes) =>
        Vector.AsVectorByte((bytes & new Vector<ushort>(0x000F)) | ((bytes & new Vector<ushort>(0x00F0)) << 4));

    private static ulong[] MakeThirds()
    {
        var thirds = new ulong[256];
        for (var value = 0; value < ThirdsBytes; value++)
        {
            var (rest, levels) = (value, 0UL);
            for (var t = 0; t < ThirdsAByte; t++, rest /= 3)
            {
                levels |= (ulong)(byte)((rest % 3) - 1) << (8 * t);
            }

            thirds[value] = levels;
        }

        return thirds;
    }
}
