using FedServerless.Wire;

namespace FedServerless.Optimization;

/// <summary>
/// Hsu et al. 2019 (arXiv:1909.06335), section 4.2: <c>u = β·u + Δ; x = x + η·u</c>, u₀ = 0, so that the first step is
/// η·Δ. There is no factor 1 − β.
/// </summary>
internal sealed class FedAvgMOptimizer(OptimizerSpec spec) : IServerOptimizer
{
    private readonly double _learningRate = spec.LearningRate;
    private readonly double _beta = spec.Beta1;

    public string Name => ServerOptimizers.FedAvgM;

    public IReadOnlyList<string> StateNames { get; } = ["momentum"];

    public float InitialState(int state)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(state, 0);
        return 0;
    }

    public bool TryApply(
        ReadOnlySpan<float> parent, ReadOnlySpan<double> aggregate, ReadOnlySpan<float> parentState, Span<float> weights, Span<float> state)
    {
        OptimizerShapes.Check(this, parent, aggregate, parentState, weights, state);
        var (rate, beta) = (_learningRate, _beta);
        var finite = true;
        for (var i = 0; i < parent.Length; i++)
        {
            var u = (beta * parentState[i]) + aggregate[i];
            weights[i] = (float)(parent[i] + (rate * u));
            state[i] = (float)u;
            finite &= float.IsFinite(weights[i]) & float.IsFinite(state[i]);
        }

        return finite;
    }
}
