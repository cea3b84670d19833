namespace FedServerless.Optimization;

internal static class OptimizerShapes
{
    public static void Check(
        IServerOptimizer optimizer, ReadOnlySpan<float> parent, ReadOnlySpan<double> aggregate, ReadOnlySpan<float> parentState,
        Span<float> weights, Span<float> state)
    {
        var states = optimizer.StateNames.Count * parent.Length;
        ArgumentOutOfRangeException.ThrowIfNotEqual(aggregate.Length, parent.Length);
        ArgumentOutOfRangeException.ThrowIfNotEqual(weights.Length, parent.Length);
        ArgumentOutOfRangeException.ThrowIfNotEqual(parentState.Length, states);
        ArgumentOutOfRangeException.ThrowIfNotEqual(state.Length, states);
    }
}
