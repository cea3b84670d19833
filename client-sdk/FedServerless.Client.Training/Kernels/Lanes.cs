using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace FedServerless.Client.Training;

/// <summary>A vector register of float32, so that a kernel is written once for registers of every width.</summary>
/// <typeparam name="T">The register itself.</typeparam>
internal interface ILanes<T>
    where T : struct, ILanes<T>
{
    /// <summary>Values in a register.</summary>
    static abstract int Count { get; }

    static abstract T Load(ref float from);

    static abstract T Create(float value);

    /// <summary><c>left · right + addend</c>, rounded once where the processor has such an instruction.</summary>
    static abstract T MultiplyAdd(T left, T right, T addend);

    static abstract T Add(T left, T right);

    static abstract void Store(T value, ref float to);
}

/// <summary>The width that the runtime prefers: 4 or 8 values.</summary>
internal readonly struct PreferredLanes(Vector<float> value) : ILanes<PreferredLanes>
{
    private readonly Vector<float> _value = value;

    public static int Count => Vector<float>.Count;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PreferredLanes Load(ref float from) => new(Vector.LoadUnsafe(ref from));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PreferredLanes Create(float value) => new(Vector.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PreferredLanes MultiplyAdd(PreferredLanes left, PreferredLanes right, PreferredLanes addend) =>
        new(Vector.MultiplyAddEstimate(left._value, right._value, addend._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PreferredLanes Add(PreferredLanes left, PreferredLanes right) => new(left._value + right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(PreferredLanes value, ref float to) => value._value.StoreUnsafe(ref to);
}

/// <summary>512 bits, 16 values, where the processor does them at full speed.</summary>
internal readonly struct WidestLanes(Vector512<float> value) : ILanes<WidestLanes>
{
    private readonly Vector512<float> _value = value;

    public static int Count => Vector512<float>.Count;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static WidestLanes Load(ref float from) => new(Vector512.LoadUnsafe(ref from));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static WidestLanes Create(float value) => new(Vector512.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static WidestLanes MultiplyAdd(WidestLanes left, WidestLanes right, WidestLanes addend) =>
        new(Vector512.MultiplyAddEstimate(left._value, right._value, addend._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static WidestLanes Add(WidestLanes left, WidestLanes right) => new(left._value + right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(WidestLanes value, ref float to) => value._value.StoreUnsafe(ref to);
}
