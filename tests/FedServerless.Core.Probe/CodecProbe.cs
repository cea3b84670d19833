using System.Security.Cryptography;
using FedServerless.Compression;
using FedServerless.Numerics;

namespace FedServerless.Core.Probe;

/// <summary>Every codec's bytes and decoded values over values of every magnitude, at lengths around every vector width.</summary>
public static class CodecProbe
{
    private static readonly int[] Lengths = [1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 1000, 4096, 65_536];

    public static string Run()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var random = new Random(20_260_101);
        foreach (var codec in UpdateCodecs.All)
        {
            foreach (var length in Lengths)
            {
                for (var round = 0; round < 8; round++)
                {
                    Append(hash, codec, Values(random, length, round));
                }
            }
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static void Append(IncrementalHash hash, IUpdateCodec codec, float[] values)
    {
        var bytes = new byte[codec.EncodedLength(values.Length).Max];
        var written = codec.Encode(values, bytes);
        hash.AppendData(bytes, 0, written);
        var decoded = new float[values.Length];
        if (!codec.TryDecode(bytes.AsSpan(0, written), decoded))
        {
            throw new InvalidOperationException($"{codec.Name} refuses what it encoded.");
        }

        var raw = new byte[sizeof(float) * decoded.Length];
        LittleEndian.Write(decoded, raw);
        hash.AppendData(raw);
    }

    /// <summary>Even rounds: any finite bit pattern. Odd rounds: one scale, from subnormal to huge, with exact halves among them.</summary>
    private static float[] Values(Random random, int length, int round)
    {
        var values = new float[length];
        var scale = MathF.ScaleB(1, (round * 34) - 126);
        for (var i = 0; i < length; i++)
        {
            var any = BitConverter.Int32BitsToSingle((int)random.NextInt64(int.MinValue, 1L + int.MaxValue));
            values[i] = round % 2 == 0
                ? float.IsFinite(any) ? any : 0
                : random.Next(-254, 255) / 2f * scale;
        }

        return values;
    }
}
