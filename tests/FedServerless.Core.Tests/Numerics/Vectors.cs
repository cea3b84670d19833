namespace FedServerless.Core.Tests.Numerics;

/// <summary>Inputs for kernel tests.</summary>
internal static class Vectors
{
    /// <summary>Degenerate lengths, and one less, exactly and one more than every lane count and chunk of the kernels.</summary>
    public static TheoryData<int> Lengths =>
    [
        0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 1000, 4095, 4096, 4097, 8193,
    ];

    /// <summary>Finite float32 of all magnitudes, subnormals, zeros of both signs and the extremes among them.</summary>
    public static float[] Wild(int length, int seed)
    {
        var random = new Random(seed);
        var values = new float[length];
        for (var i = 0; i < length; i++)
        {
            do
            {
                values[i] = BitConverter.UInt32BitsToSingle((uint)random.NextInt64(1L << 32));
            }
            while (!float.IsFinite(values[i]));

            values[i] = (i % 29) switch { 7 => -0f, 11 => 0f, 13 => float.MaxValue, 17 => float.Epsilon, _ => values[i] };
        }

        return values;
    }

    /// <summary>Values as updates have them: around zero, about one in size.</summary>
    public static float[] Mild(int length, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, length).Select(_ => (float)((random.NextDouble() * 2) - 1))];
    }

    /// <summary>A copy that starts one byte past an aligned address.</summary>
    public static ReadOnlySpan<byte> Misaligned(ReadOnlySpan<byte> bytes)
    {
        var shifted = new byte[bytes.Length + 1];
        bytes.CopyTo(shifted.AsSpan(1));
        return shifted.AsSpan(1);
    }

    public static long[] Bits(ReadOnlySpan<double> values)
    {
        var bits = new long[values.Length];
        for (var i = 0; i < bits.Length; i++)
        {
            bits[i] = BitConverter.DoubleToInt64Bits(values[i]);
        }

        return bits;
    }

    public static int[] Bits(ReadOnlySpan<float> values)
    {
        var bits = new int[values.Length];
        for (var i = 0; i < bits.Length; i++)
        {
            bits[i] = BitConverter.SingleToInt32Bits(values[i]);
        }

        return bits;
    }
}
