using System.Security.Cryptography;
using FedServerless.Aggregation;
using FedServerless.Compression;

namespace FedServerless.Core.Probe;

/// <summary>Weighted means of every codec's blocks, one client at a time and all at once.</summary>
public static class WeightedMeanProbe
{
    private const int Clients = 7;

    public static string Run()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var random = new Random(20_260_102);
        foreach (var codec in UpdateCodecs.All)
        {
            foreach (var length in ProbeValues.Lengths)
            {
                var values = Enumerable.Range(0, Clients).Select(_ => ProbeValues.Wild(random, length)).ToArray();
                var blocks = values.Select(update => Encode(codec, update)).ToArray();
                var weights = values.Select(_ => random.NextDouble() * 1000).ToArray();
                ProbeValues.Append<double>(hash, Mean(length, mean =>
                {
                    for (var client = 0; client < Clients; client++)
                    {
                        mean.Add(values[client], weights[client]);
                        Require(mean.TryAdd(codec, blocks[client].Span, weights[client]));
                    }
                }));
                ProbeValues.Append<double>(hash, Mean(length, mean => Require(mean.TryAddAll(codec, blocks, weights))));
            }
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static double[] Mean(int length, Action<IAggregation> add)
    {
        var aggregation = Aggregators.Find(Aggregators.WeightedMean).Begin(length);
        add(aggregation);
        var mean = new double[length];
        aggregation.Complete(mean);
        return mean;
    }

    private static ReadOnlyMemory<byte> Encode(IUpdateCodec codec, float[] values)
    {
        var bytes = new byte[codec.EncodedLength(values.Length).Max];
        return bytes.AsMemory(0, codec.Encode(values, bytes));
    }

    private static void Require(bool legal)
    {
        if (!legal)
        {
            throw new InvalidOperationException("A legal block was refused.");
        }
    }
}
