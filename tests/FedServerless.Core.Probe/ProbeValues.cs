using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace FedServerless.Core.Probe;

/// <summary>Inputs of the probes, and how they hash what came out.</summary>
internal static class ProbeValues
{
    /// <summary>Around every lane count, and past a slice or a super-block.</summary>
    public static readonly int[] Lengths = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 1000, 16_385, 65_535, 65_536, 65_537, 140_003];

    /// <summary>Finite float32 of every magnitude, subnormals among them.</summary>
    public static float[] Wild(Random random, int length)
    {
        var values = new float[length];
        for (var i = 0; i < length; i++)
        {
            var any = BitConverter.Int32BitsToSingle((int)random.NextInt64(int.MinValue, 1L + int.MaxValue));
            values[i] = float.IsFinite(any) ? any : 0;
        }

        return values;
    }

    public static void Append<T>(IncrementalHash hash, ReadOnlySpan<T> values)
        where T : unmanaged => hash.AppendData(MemoryMarshal.AsBytes(values));
}
