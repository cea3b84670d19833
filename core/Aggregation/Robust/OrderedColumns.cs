using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace FedServerless.Aggregation.Robust;

/// <summary><see cref="OrderedBits"/> over spans.</summary>
internal static class OrderedColumns
{
    /// <summary>float32 bits to ordered integers, or back; in place or to another span of the same length.</summary>
    public static void Flip(ReadOnlySpan<int> source, Span<int> destination)
    {
        Debug.Assert(source.Length == destination.Length);
        ref var from = ref MemoryMarshal.GetReference(source);
        ref var to = ref MemoryMarshal.GetReference(destination);
        var n = (nuint)source.Length;
        nuint i = 0;
        if (Vector512.IsHardwareAccelerated)
        {
            for (; i + 16 <= n; i += 16)
            {
                OrderedBits.Flip(Vector512.LoadUnsafe(ref from, i)).StoreUnsafe(ref to, i);
            }
        }
        else if (Vector256.IsHardwareAccelerated)
        {
            for (; i + 8 <= n; i += 8)
            {
                OrderedBits.Flip(Vector256.LoadUnsafe(ref from, i)).StoreUnsafe(ref to, i);
            }
        }

        for (; i < n; i++)
        {
            Unsafe.Add(ref to, i) = OrderedBits.Flip(Unsafe.Add(ref from, i));
        }
    }
}
