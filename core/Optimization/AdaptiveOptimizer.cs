using FedServerless.Wire;

namespace FedServerless.Optimization;

/// <summary>
/// Reddi et al. 2021, algorithm 2: <c>m = β₁·m + (1−β₁)·Δ; v = …; x = x + η·m / (√v + τ)</c>, m₀ = 0, v₀ = τ², no bias
/// correction. The line for v is <typeparamref name="TMoment"/>. The step uses m and v before they are rounded to float32.
/// </summary>
internal sealed class AdaptiveOptimizer<TMoment>(string name, OptimizerSpec spec) : IServerOptimizer
    where TMoment : struct, ISecondMoment
{
    private readonly double _learningRate = spec.LearningRate;
    private readonly double _beta1 = spec.Beta1;
    private readonly double _beta2 = spec.Beta2;
    private readonly double _tau = spec.Tau;

    public string Name => name;

    public IReadOnlyList<string> StateNames { get; } = ["momentum", "variance"];

    public float InitialState(int state) => state switch
    {
        0 => 0,
        1 => (float)(_tau * _tau),
        _ => throw new ArgumentOutOfRangeException(nameof(state), state, "There are two state tensors."),
    };

    public bool TryApply(
        ReadOnlySpan<float> parent, ReadOnlySpan<double> aggregate, ReadOnlySpan<float> parentState, Span<float> weights, Span<float> state)
    {
        OptimizerShapes.Check(this, parent, aggregate, parentState, weights, state);
        var n = parent.Length;
        var parentM = parentState[..n];
        var parentV = parentState[n..];
        var nextM = state[..n];
        var nextV = state[n..];
        var (rate, beta1, beta2, tau) = (_learningRate, _beta1, _beta2, _tau);
        var finite = true;
        for (var i = 0; i < n; i++)
        {
            var delta = aggregate[i];
            var m = (beta1 * parentM[i]) + ((1 - beta1) * delta);
            var v = TMoment.Next(parentV[i], delta * delta, beta2);
            weights[i] = (float)(parent[i] + (rate * m / (Math.Sqrt(v) + tau)));
            nextM[i] = (float)m;
            nextV[i] = (float)v;
            finite &= float.IsFinite(weights[i]) & float.IsFinite(nextM[i]) & float.IsFinite(nextV[i]);
        }

        return finite;
    }
}
