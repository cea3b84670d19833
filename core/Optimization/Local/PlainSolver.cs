namespace FedServerless.Optimization;

/// <summary>SGD and FedProx: nothing is remembered, nothing is normalised.</summary>
internal sealed class PlainSolver : SolverWithoutMemory
{
    public override string Name => LocalSolvers.Sgd;
}
