using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace FedServerless.Numerics;

/// <summary>Looks for NaN and infinities.</summary>
public static class FiniteValues
{
    private const int ExponentMask = 0x7F80_0000;

    /// <summary>
    /// The smallest i with <c>values[i]</c> NaN or infinite, or −1 when all are finite (also for an empty span). The answer
    /// does not depend on the vector width.
    /// </summary>
    public static int FirstNonFinite(ReadOnlySpan<float> values)
    {
        var i = 0;
        if (Vector.IsHardwareAccelerated)
        {
            ref var start = ref MemoryMarshal.GetReference(values);
            var mask = new Vector<int>(ExponentMask);
            for (; i <= values.Length - Vector<float>.Count; i += Vector<float>.Count)
            {
                var bits = Vector.AsVectorInt32(Vector.LoadUnsafe(ref start, (nuint)i));
                if (Vector.EqualsAny(bits & mask, mask))
                {
                    break;
                }
            }
        }

        for (; i < values.Length; i++)
        {
            if (!float.IsFinite(values[i]))
            {
                return i;
            }
        }

        return -1;
    }

    /// <summary>True when no value is NaN or infinite.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool All(ReadOnlySpan<float> values) => FirstNonFinite(values) < 0;
}
