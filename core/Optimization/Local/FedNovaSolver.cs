namespace FedServerless.Optimization;

/// <summary>
/// FedNova: the aggregate is <c>τ_eff·Σ pᵢ·Δᵢ/‖aᵢ‖₁</c>, <c>τ_eff = Σ pᵢ·‖aᵢ‖₁</c>, so that clients with more steps do not pull harder. ‖a‖₁ adds up how much
/// each local gradient counts in the update: with plain SGD once each.
/// </summary>
internal sealed class FedNovaSolver(double learningRate, double momentum, double proximalMu) : SolverWithoutMemory
{
    public override string Name => LocalSolvers.FedNova;

    public override double Length(long steps)
    {
        if (momentum > 0)
        {
            // Heavy ball: gradient k of τ counts (1 − ρ^(τ−k))/(1 − ρ) times.
            return (steps - (momentum * (1 - Power(momentum, steps)) / (1 - momentum))) / (1 - momentum);
        }

        // Proximal: gradient k of τ counts (1 − η·µ)^(τ−1−k) times.
        var pull = learningRate * proximalMu;
        return pull * steps < 1e-6 ? steps : (1 - Power(1 - pull, steps)) / pull;
    }

    /// <summary>By squaring: multiplications only, so the same bits everywhere, which the platform's power does not promise.</summary>
    private static double Power(double value, long exponent)
    {
        var result = 1.0;
        for (; exponent > 0; exponent >>= 1)
        {
            result *= (exponent & 1) != 0 ? value : 1;
            value *= value;
        }

        return result;
    }
}
