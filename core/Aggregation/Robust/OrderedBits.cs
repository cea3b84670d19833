using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace FedServerless.Aggregation.Robust;

/// <summary>
/// float32 as signed integers in the same order, which makes it total: −NaN &lt; −∞ &lt; … &lt; −0 &lt; +0 &lt; … &lt; +∞ &lt; +NaN
/// (IEEE 754-2019, 5.10, totalOrder). Comparing integers costs one instruction, and no NaN can get lost between two floats.
/// </summary>
internal static class OrderedBits
{
    private const int Magnitude = 0x7FFF_FFFF;

    /// <summary>The value of an ordered integer.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float ToSingle(int ordered) => BitConverter.Int32BitsToSingle(Flip(ordered));

    /// <summary>float32 bits to an ordered integer; its own inverse.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Flip(int bits) => bits ^ ((bits >> 31) & Magnitude);

    /// <summary>Sixteen at a time; works both ways.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> Flip(Vector512<int> bits) => bits ^ ((bits >> 31) & Vector512.Create(Magnitude));

    /// <summary>Eight at a time; works both ways.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Flip(Vector256<int> bits) => bits ^ ((bits >> 31) & Vector256.Create(Magnitude));
}
