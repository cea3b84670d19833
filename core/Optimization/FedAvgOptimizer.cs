using FedServerless.Wire;

namespace FedServerless.Optimization;

/// <summary>Reddi et al. 2021, algorithm 1 with server SGD: <c>x = x + η·Δ</c>.</summary>
internal sealed class FedAvgOptimizer(OptimizerSpec spec) : IServerOptimizer
{
    private readonly double _learningRate = spec.LearningRate;

    public string Name => ServerOptimizers.FedAvg;

    public IReadOnlyList<string> StateNames => [];

    public float InitialState(int state) => throw new ArgumentOutOfRangeException(nameof(state), state, "FedAvg has no state.");

    public bool TryApply(
        ReadOnlySpan<float> parent, ReadOnlySpan<double> aggregate, ReadOnlySpan<float> parentState, Span<float> weights, Span<float> state)
    {
        OptimizerShapes.Check(this, parent, aggregate, parentState, weights, state);
        var rate = _learningRate;
        var finite = true;
        for (var i = 0; i < parent.Length; i++)
        {
            weights[i] = (float)(parent[i] + (rate * aggregate[i]));
            finite &= float.IsFinite(weights[i]);
        }

        return finite;
    }
}
