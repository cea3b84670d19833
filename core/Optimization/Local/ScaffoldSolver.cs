namespace FedServerless.Optimization;

/// <summary>
/// SCAFFOLD: a local step is <c>y −= η·(∇ − cᵢ + c)</c>, c the mean of all cᵢ; afterwards <c>cᵢ⁺ = cᵢ − c + (x − y)/(K·η)</c> with K the number of local
/// steps (option II), and <c>c += (1/N)·Σ(cᵢ⁺ − cᵢ)</c> over the included, N all clients of the population.
/// </summary>
internal sealed class ScaffoldSolver(double learningRate) : SolverWithMemory
{
    public override string Name => LocalSolvers.Scaffold;

    public override bool NeedsMean => true;

    // delta = y − x.
    public override double ChangeFactor(long steps) => -1 / (steps * learningRate);
}
