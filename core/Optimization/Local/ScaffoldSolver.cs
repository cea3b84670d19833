namespace FedServerless.Optimization;

/// <summary>
/// SCAFFOLD: a local step is <c>y −= η·(∇ − cᵢ + c)</c>, c the mean of all cᵢ; afterwards <c>cᵢ⁺ = cᵢ − c + (x − y)/(K·η)</c> with K the number of local
/// steps (option II), and <c>c += (1/N)·Σ(cᵢ⁺ − cᵢ)</c> over the included, N all clients of the population.
/// </summary>
internal sealed class ScaffoldSolver(double learningRate) : ILocalSolver
{
    public string Name => LocalSolvers.Scaffold;

    public bool HasMemory => true;

    public bool NeedsMean => true;

    public void Correct(ReadOnlySpan<float> own, ReadOnlySpan<float> sum, long clients, Span<float> correction) =>
        SolverMemory.Correct(own, sum, clients, correction);

    public void Remember(ReadOnlySpan<float> own, ReadOnlySpan<float> sum, long clients, ReadOnlySpan<float> delta, long steps, Span<float> after) =>
        SolverMemory.Remember(own, sum, clients, delta, ChangeFactor(steps), after);

    // delta = y − x.
    public double ChangeFactor(long steps) => -1 / (steps * learningRate);

    public bool TryAdvance(ReadOnlySpan<float> sum, ReadOnlySpan<double> changes, long included, long clients, Span<float> after, Span<double> aggregate) =>
        SolverMemory.TryAdvance(sum, changes, (double)included / clients, after);

    public double Length(long steps) => 1;
}
