using System.Security.Cryptography;
using FedServerless.Numerics;

namespace FedServerless.Core.Probe;

/// <summary>Sums of squares and dot products.</summary>
public static class ReductionProbe
{
    public static string Run()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var random = new Random(20_260_103);
        foreach (var length in ProbeValues.Lengths)
        {
            // One scale a vector, because a single huge value would hide how the others were added.
            float[] x = [.. Enumerable.Range(0, length).Select(_ => (float)(random.NextDouble() - 0.5))];
            float[] y = [.. Enumerable.Range(0, length).Select(_ => (float)(random.NextDouble() - 0.5))];
            var running = new RunningSumOfSquares();
            running.Add(x.AsSpan(0, length / 3));
            running.Add(x.AsSpan(length / 3));
            ProbeValues.Append<double>(hash, [Reductions.SumOfSquares(x), Reductions.Dot(x, y), running.Total]);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
