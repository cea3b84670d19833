using FedServerless.Model;
using FedServerless.Numerics;

namespace FedServerless.Orchestrations.Tests.Rounds;

/// <summary>Models that tests start from.</summary>
internal static class Models
{
    /// <summary>Parameters, running statistics and a counter at 12.</summary>
    public static ModelState WithBatchNorm()
    {
        var layout = TensorLayout.Create(
        [
            new TensorSpec("bn.weight", [4], TensorRole.Parameter),
            new TensorSpec("bn.running_mean", [4], TensorRole.Buffer),
            new TensorSpec("bn.running_var", [4], TensorRole.Buffer),
            new TensorSpec("bn.num_batches_tracked", [1], TensorRole.Integer),
        ]);
        return new ModelState(layout, [1, 2, 3, 4, 0.5f, 0.25f, 0, 0, 1, 2, 0, 3e-38f], [12]);
    }

    public static ModelState Large(int parameters, int buffers)
    {
        var layout = TensorLayout.Create(
        [
            new TensorSpec("w", [parameters], TensorRole.Parameter),
            new TensorSpec("running_mean", [buffers], TensorRole.Buffer),
        ]);
        var random = new DeterministicRandom(3);
        var values = new float[layout.FloatCount];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = (float)random.NextDouble();
        }

        return new ModelState(layout, values, []);
    }
}
