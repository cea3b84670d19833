using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace FedServerless.Aggregation.Robust;

/// <summary>Decodes a run of encoded values, with the reading that the weighted mean's kernels use.</summary>
internal static class EncodedTile
{
    /// <summary><c>destination[i] = value[i]</c>; false, with the destination undefined, when one is not legal.</summary>
    public static bool TryRead<TValues, T>(TValues reading, ReadOnlySpan<T> values, Span<float> destination)
        where TValues : struct, IEncodedValues<TValues, T>
        where T : unmanaged
    {
        ref var source = ref MemoryMarshal.GetReference(values);
        ref var target = ref MemoryMarshal.GetReference(destination);
        var n = (nuint)destination.Length;
        nuint i = 0;
        var legal = true;
        if (Vector256.IsHardwareAccelerated)
        {
            var largest = Vector256<int>.Zero;
            for (; i + 8 <= n; i += 8)
            {
                reading.Load256(ref source, i, ref largest).StoreUnsafe(ref target, i);
            }

            legal = Vector256.LessThanAll(largest, Vector256.Create(TValues.Refused));
        }

        var most = 0;
        for (; i < n; i++)
        {
            Unsafe.Add(ref target, i) = reading.Load(ref source, i, ref most);
        }

        return legal && most < TValues.Refused;
    }
}
