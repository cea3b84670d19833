namespace FedServerless.Optimization;

/// <summary>
/// FedDyn: a local step follows <c>∇ − gᵢ + α·(y − x)</c>; afterwards <c>gᵢ⁺ = gᵢ − α·(y − x)</c>, the server's <c>h</c> is the mean of all gᵢ, and the new
/// model is the mean of the included less <c>h/α</c>. The term α·(y − x) is the proximal one, with µ = α.
/// </summary>
internal sealed class FedDynSolver(double alpha) : SolverWithMemory
{
    public override string Name => LocalSolvers.FedDyn;

    public override bool NeedsMean => false;

    public override double ChangeFactor(long steps) => -alpha;

    public override bool TryAdvance(ReadOnlySpan<float> sum, ReadOnlySpan<double> changes, long included, long clients, Span<float> after, Span<double> aggregate)
    {
        var finite = base.TryAdvance(sum, changes, included, clients, after, aggregate);
        for (var i = 0; i < aggregate.Length; i++)
        {
            aggregate[i] -= after[i] / (clients * alpha);
        }

        return finite;
    }
}
