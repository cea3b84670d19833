namespace FedServerless.Optimization;

/// <summary>
/// FedDyn: a local step follows <c>∇ − gᵢ + α·(y − x)</c>; afterwards <c>gᵢ⁺ = gᵢ − α·(y − x)</c>, the server's <c>h</c> is the mean of all gᵢ, and the new
/// model is the mean of the included less <c>h/α</c>. The term α·(y − x) is the proximal one, with µ = α.
/// </summary>
internal sealed class FedDynSolver(double alpha) : ILocalSolver
{
    public string Name => LocalSolvers.FedDyn;

    public bool HasMemory => true;

    public bool NeedsMean => false;

    public void Correct(ReadOnlySpan<float> own, ReadOnlySpan<float> sum, long clients, Span<float> correction) =>
        SolverMemory.Correct(own, [], clients, correction);

    public void Remember(ReadOnlySpan<float> own, ReadOnlySpan<float> sum, long clients, ReadOnlySpan<float> delta, long steps, Span<float> after) =>
        SolverMemory.Remember(own, [], clients, delta, ChangeFactor(steps), after);

    public double ChangeFactor(long steps) => -alpha;

    public bool TryAdvance(ReadOnlySpan<float> sum, ReadOnlySpan<double> changes, long included, long clients, Span<float> after, Span<double> aggregate)
    {
        var finite = SolverMemory.TryAdvance(sum, changes, 0, after);
        for (var i = 0; i < aggregate.Length; i++)
        {
            aggregate[i] -= after[i] / (clients * alpha);
        }

        return finite;
    }

    public double Length(long steps) => 1;
}
