namespace FedServerless.Optimization;

/// <summary>
/// What the server does with a round's aggregate: a pure function, element by element, so that any sharding gives the same
/// bytes. It acts on parameters only; buffers take the mean (<see cref="Aggregation.BufferMean"/>).
/// </summary>
/// <remarks>
/// State is float32 like the weights, one tensor of the weights' shape for each of <see cref="StateNames"/>. A span of state
/// holds the slices one after another: tensor <c>k</c> of <c>n</c> coordinates at <c>[k·n, (k+1)·n)</c>. Everything is
/// computed in double from the float32 inputs and rounded once.
/// </remarks>
public interface IServerOptimizer
{
    /// <summary>The name in specs: one of <see cref="ServerOptimizers"/>.</summary>
    string Name { get; }

    /// <summary>Names of the state tensors, in order; empty for an optimizer without memory.</summary>
    IReadOnlyList<string> StateNames { get; }

    /// <summary>The value that every coordinate of a state tensor has before the first round.</summary>
    /// <param name="state">Index into <see cref="StateNames"/>.</param>
    float InitialState(int state);

    /// <summary>One step on a range of coordinates.</summary>
    /// <param name="parent">The parent version's parameters: <c>n</c> of them.</param>
    /// <param name="aggregate">The aggregated delta Δ: the direction to move in, added and never subtracted; <c>n</c> long.</param>
    /// <param name="parentState">The parent version's state, <c>n</c> times the number of <see cref="StateNames"/>.</param>
    /// <param name="weights">The new parameters, overwritten; may be <paramref name="parent"/> itself.</param>
    /// <param name="state">The new state, overwritten; may be <paramref name="parentState"/> itself.</param>
    /// <returns>False when a new parameter or state is not finite: nothing of this step may be published.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A length does not fit.</exception>
    bool TryApply(
        ReadOnlySpan<float> parent, ReadOnlySpan<double> aggregate, ReadOnlySpan<float> parentState, Span<float> weights, Span<float> state);
}
