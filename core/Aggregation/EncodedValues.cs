using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace FedServerless.Aggregation;

/// <summary>
/// How a kernel reads float32 values out of an encoding; each reading gives exactly what the codec decodes. A struct, so
/// that the compiler makes one loop per encoding.
/// </summary>
internal interface IEncodedValues<T>
    where T : unmanaged
{
    float Load(ref T source, nuint index);

    Vector128<float> Load128(ref T source, nuint index);

    Vector256<float> Load256(ref T source, nuint index);
}

internal readonly struct Float32Values : IEncodedValues<float>
{
    // Encoded blocks may start at any byte, hence the unaligned read.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float Load(ref float source, nuint index) =>
        Unsafe.ReadUnaligned<float>(ref Unsafe.As<float, byte>(ref Unsafe.Add(ref source, index)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector128<float> Load128(ref float source, nuint index) => Vector128.LoadUnsafe(ref source, index);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<float> Load256(ref float source, nuint index) => Vector256.LoadUnsafe(ref source, index);
}

/// <summary>
/// IEEE binary16. The bits move into a float32's places and the exponent is rebased from 15 to 127; subnormals get their
/// leading one by a subtraction that is exact. Infinities and NaN are refused before.
/// </summary>
internal readonly struct Float16Values : IEncodedValues<ushort>
{
    private const uint Magnitude = 0x7FFF;
    private const uint Exponent = 0x7C00u << 13;
    private const uint Rebase = (127u - 15u) << 23;
    private const uint One = 1u << 23;

    // 2⁻¹⁴, the smallest normal binary16: what the rebased exponent of a subnormal stands for.
    private const float SmallestNormal = 1f / 16384;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float Load(ref ushort source, nuint index) => (float)BitConverter.UInt16BitsToHalf(
        Unsafe.ReadUnaligned<ushort>(ref Unsafe.As<ushort, byte>(ref Unsafe.Add(ref source, index))));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector128<float> Load128(ref ushort source, nuint index)
    {
        var halves = Vector128.CreateScalarUnsafe(Unsafe.ReadUnaligned<long>(ref Unsafe.As<ushort, byte>(ref Unsafe.Add(ref source, index))));
        var bits = Vector128.WidenLower(halves.AsUInt16());
        var magnitude = (bits & Vector128.Create(Magnitude)) << 13;
        var subnormal = Vector128.Equals(magnitude & Vector128.Create(Exponent), Vector128<uint>.Zero);
        var rebased = magnitude + Vector128.Create(Rebase);
        var shifted = (rebased + Vector128.Create(One)).AsSingle() - Vector128.Create(SmallestNormal);
        var value = Vector128.ConditionalSelect(subnormal, shifted.AsUInt32(), rebased);
        return (value | ((bits & Vector128.Create(~Magnitude)) << 16)).AsSingle();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<float> Load256(ref ushort source, nuint index)
    {
        var bits = Vector256.WidenLower(Vector128.LoadUnsafe(ref source, index).ToVector256Unsafe());
        var magnitude = (bits & Vector256.Create(Magnitude)) << 13;
        var subnormal = Vector256.Equals(magnitude & Vector256.Create(Exponent), Vector256<uint>.Zero);
        var rebased = magnitude + Vector256.Create(Rebase);
        var shifted = (rebased + Vector256.Create(One)).AsSingle() - Vector256.Create(SmallestNormal);
        var value = Vector256.ConditionalSelect(subnormal, shifted.AsUInt32(), rebased);
        return (value | ((bits & Vector256.Create(~Magnitude)) << 16)).AsSingle();
    }
}

/// <summary><c>scale · q</c>, rounded to float32.</summary>
internal readonly struct ScaledInt8Values(float scale) : IEncodedValues<sbyte>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float Load(ref sbyte source, nuint index) => scale * Unsafe.Add(ref source, index);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector128<float> Load128(ref sbyte source, nuint index)
    {
        var bytes = Vector128.CreateScalarUnsafe(Unsafe.ReadUnaligned<int>(ref Unsafe.As<sbyte, byte>(ref Unsafe.Add(ref source, index))));
        var q = Vector128.WidenLower(Vector128.WidenLower(bytes.AsSByte()));
        return Vector128.ConvertToSingle(q) * Vector128.Create(scale);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<float> Load256(ref sbyte source, nuint index)
    {
        var bytes = Vector128.CreateScalarUnsafe(Unsafe.ReadUnaligned<long>(ref Unsafe.As<sbyte, byte>(ref Unsafe.Add(ref source, index))));
        var q = Vector256.WidenLower(Vector128.WidenLower(bytes.AsSByte()).ToVector256Unsafe());
        return Vector256.ConvertToSingle(q) * Vector256.Create(scale);
    }
}
