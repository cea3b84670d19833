using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace FedServerless.Aggregation;

/// <summary>
/// How a kernel reads float32 values out of a codec's block; each reading gives exactly what the codec decodes. A struct, so
/// that the compiler makes one loop per encoding. Reading also keeps, per lane, the largest sign-less number seen: a block
/// is legal while all of them stay below <see cref="Refused"/>, which costs no branch and no second look at the bytes.
/// </summary>
/// <typeparam name="TSelf">The reading itself.</typeparam>
/// <typeparam name="T">One encoded value.</typeparam>
internal interface IEncodedValues<TSelf, T>
    where TSelf : struct, IEncodedValues<TSelf, T>
    where T : unmanaged
{
    /// <summary>The smallest sign-less number that is refused.</summary>
    static abstract int Refused { get; }

    /// <summary>Finds the values in a block; false when its length, or what stands before the values, is not legal.</summary>
    static abstract bool TryOpen(ReadOnlySpan<byte> block, int count, out TSelf reading, out ReadOnlySpan<T> values);

    float Load(ref T source, nuint index, ref int largest);

    Vector128<float> Load128(ref T source, nuint index, ref Vector128<int> largest);

    Vector256<float> Load256(ref T source, nuint index, ref Vector256<int> largest);
}

/// <summary>Little-endian float32, compared by its bits without the sign: infinities and NaN are refused.</summary>
internal readonly struct Float32Values : IEncodedValues<Float32Values, float>
{
    private const int Magnitude = 0x7FFF_FFFF;

    public static int Refused => 0x7F80_0000;

    public static bool TryOpen(ReadOnlySpan<byte> block, int count, out Float32Values reading, out ReadOnlySpan<float> values)
    {
        reading = default;
        values = MemoryMarshal.Cast<byte, float>(block);
        return block.Length == (long)count * sizeof(float);
    }

    // Blocks may start at any byte, hence the unaligned reads here and below.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float Load(ref float source, nuint index, ref int largest)
    {
        var value = Unsafe.ReadUnaligned<float>(ref Unsafe.As<float, byte>(ref Unsafe.Add(ref source, index)));
        largest = Math.Max(largest, BitConverter.SingleToInt32Bits(value) & Magnitude);
        return value;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector128<float> Load128(ref float source, nuint index, ref Vector128<int> largest)
    {
        var values = Vector128.LoadUnsafe(ref source, index);
        largest = Vector128.Max(largest, values.AsInt32() & Vector128.Create(Magnitude));
        return values;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<float> Load256(ref float source, nuint index, ref Vector256<int> largest)
    {
        var values = Vector256.LoadUnsafe(ref source, index);
        largest = Vector256.Max(largest, values.AsInt32() & Vector256.Create(Magnitude));
        return values;
    }
}

/// <summary>
/// Little-endian IEEE binary16; infinities and NaN are refused. The bits move into a float32's places and the exponent is
/// rebased from 15 to 127; subnormals get their leading one by a subtraction that is exact.
/// </summary>
internal readonly struct Float16Values : IEncodedValues<Float16Values, ushort>
{
    private const int Magnitude = 0x7FFF;
    private const int Exponent = 0x7C00 << 13;
    private const int Rebase = (127 - 15) << 23;
    private const int One = 1 << 23;

    // The smallest normal binary16: what the rebased exponent of a subnormal stands for.
    private const float SmallestNormal = 1f / 16384;

    public static int Refused => 0x7C00;

    public static bool TryOpen(ReadOnlySpan<byte> block, int count, out Float16Values reading, out ReadOnlySpan<ushort> values)
    {
        reading = default;
        values = MemoryMarshal.Cast<byte, ushort>(block);
        return block.Length == (long)count * sizeof(ushort);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float Load(ref ushort source, nuint index, ref int largest)
    {
        var bits = Unsafe.ReadUnaligned<ushort>(ref Unsafe.As<ushort, byte>(ref Unsafe.Add(ref source, index)));
        largest = Math.Max(largest, bits & Magnitude);
        return (float)BitConverter.UInt16BitsToHalf(bits);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector128<float> Load128(ref ushort source, nuint index, ref Vector128<int> largest)
    {
        var packed = Unsafe.ReadUnaligned<ulong>(ref Unsafe.As<ushort, byte>(ref Unsafe.Add(ref source, index)));
        var bits = Vector128.WidenLower(Vector128.CreateScalarUnsafe(packed).AsUInt16()).AsInt32();
        var magnitude = bits & Vector128.Create(Magnitude);
        largest = Vector128.Max(largest, magnitude);
        var shifted = magnitude << 13;
        var rebased = shifted + Vector128.Create(Rebase);
        var subnormal = (rebased + Vector128.Create(One)).AsSingle() - Vector128.Create(SmallestNormal);
        var isSubnormal = Vector128.Equals(shifted & Vector128.Create(Exponent), Vector128<int>.Zero);
        return (Vector128.ConditionalSelect(isSubnormal, subnormal.AsInt32(), rebased) | ((bits ^ magnitude) << 16)).AsSingle();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<float> Load256(ref ushort source, nuint index, ref Vector256<int> largest)
    {
        var bits = Vector256.WidenLower(Vector128.LoadUnsafe(ref source, index).ToVector256Unsafe()).AsInt32();
        var magnitude = bits & Vector256.Create(Magnitude);
        largest = Vector256.Max(largest, magnitude);
        var shifted = magnitude << 13;
        var rebased = shifted + Vector256.Create(Rebase);
        var subnormal = (rebased + Vector256.Create(One)).AsSingle() - Vector256.Create(SmallestNormal);
        var isSubnormal = Vector256.Equals(shifted & Vector256.Create(Exponent), Vector256<int>.Zero);
        return (Vector256.ConditionalSelect(isSubnormal, subnormal.AsInt32(), rebased) | ((bits ^ magnitude) << 16)).AsSingle();
    }
}

/// <summary>
/// <c>scale · q</c>, rounded to float32: a little-endian float32 scale, then a signed byte a value. −128 is refused, and so
/// is a scale that is negative (−0 too) or not finite times 127.
/// </summary>
internal readonly struct Int8Values(float scale) : IEncodedValues<Int8Values, sbyte>
{
    public static int Refused => 128;

    public static bool IsLegalScale(float scale) => !float.IsNegative(scale) && float.IsFinite(scale * sbyte.MaxValue);

    public static bool TryOpen(ReadOnlySpan<byte> block, int count, out Int8Values reading, out ReadOnlySpan<sbyte> values)
    {
        reading = default;
        values = default;
        if (block.Length != sizeof(float) + (long)count)
        {
            return false;
        }

        var scale = BinaryPrimitives.ReadSingleLittleEndian(block);
        reading = new Int8Values(scale);
        values = MemoryMarshal.Cast<byte, sbyte>(block[sizeof(float)..]);
        return IsLegalScale(scale);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float Load(ref sbyte source, nuint index, ref int largest)
    {
        int q = Unsafe.Add(ref source, index);
        largest = Math.Max(largest, Math.Abs(q));
        return scale * q;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector128<float> Load128(ref sbyte source, nuint index, ref Vector128<int> largest)
    {
        var packed = Unsafe.ReadUnaligned<uint>(ref Unsafe.As<sbyte, byte>(ref Unsafe.Add(ref source, index)));
        var q = Vector128.WidenLower(Vector128.WidenLower(Vector128.CreateScalarUnsafe(packed).AsSByte()));
        largest = Vector128.Max(largest, Vector128.Abs(q));
        return Vector128.ConvertToSingle(q) * Vector128.Create(scale);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<float> Load256(ref sbyte source, nuint index, ref Vector256<int> largest)
    {
        var packed = Unsafe.ReadUnaligned<ulong>(ref Unsafe.As<sbyte, byte>(ref Unsafe.Add(ref source, index)));
        var shorts = Vector128.WidenLower(Vector128.CreateScalarUnsafe(packed).AsSByte());
        var q = Vector256.WidenLower(shorts.ToVector256Unsafe());
        largest = Vector256.Max(largest, Vector256.Abs(q));
        return Vector256.ConvertToSingle(q) * Vector256.Create(scale);
    }
}
