using System.Security.Cryptography;
using FedServerless.Optimization;
using FedServerless.Wire;

namespace FedServerless.Core.Probe;

/// <summary>Three steps of every server optimizer.</summary>
public static class OptimizerProbe
{
    private const int Coordinates = 1003;

    public static string Run()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var random = new Random(20_260_104);
        foreach (var name in ServerOptimizers.Names)
        {
            var optimizer = ServerOptimizers.Create(new OptimizerSpec { Name = name, LearningRate = 0.03 });
            float[] weights = [.. Enumerable.Range(0, Coordinates).Select(_ => (float)random.NextDouble())];
            float[] state = [.. Enumerable.Range(0, optimizer.StateNames.Count).SelectMany(k => Enumerable.Repeat(optimizer.InitialState(k), Coordinates))];
            for (var step = 0; step < 3; step++)
            {
                double[] delta = [.. weights.Select(_ => random.NextDouble() - 0.5)];
                if (!optimizer.TryApply(weights, delta, state, weights, state))
                {
                    throw new InvalidOperationException($"{name} left the finite numbers.");
                }

                ProbeValues.Append<float>(hash, weights);
                ProbeValues.Append<float>(hash, state);
            }
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
