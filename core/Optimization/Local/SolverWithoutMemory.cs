namespace FedServerless.Optimization;

/// <summary>A solver of which nothing outlives the round: no vector on clients or server, no correction.</summary>
internal abstract class SolverWithoutMemory : ILocalSolver
{
    public abstract string Name { get; }

    public bool HasMemory => false;

    public bool NeedsMean => false;

    public void Correct(ReadOnlySpan<float> own, ReadOnlySpan<float> sum, long clients, Span<float> correction) => correction.Clear();

    public void Remember(ReadOnlySpan<float> own, ReadOnlySpan<float> sum, long clients, ReadOnlySpan<float> delta, long steps, Span<float> after) =>
        own.CopyTo(after);

    public double ChangeFactor(long steps) => 0;

    public bool TryAdvance(ReadOnlySpan<float> sum, ReadOnlySpan<double> changes, long included, long clients, Span<float> after, Span<double> aggregate)
    {
        sum.CopyTo(after);
        return true;
    }

    public virtual double Length(long steps) => 1;
}
