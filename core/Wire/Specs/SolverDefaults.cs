using System.Text.Json;
using FedServerless.Optimization;

namespace FedServerless.Wire;

/// <summary>Solvers whose theorems are about the plain mean of clients get it where the operator does not say.</summary>
internal static class SolverDefaults
{
    /// <summary>The spec, completed.</summary>
    /// <param name="spec">As read, with the usual defaults.</param>
    /// <param name="written">The JSON it was read from.</param>
    public static RunSpec Fill(RunSpec spec, JsonElement written) =>
        spec.Training?.Solver is LocalSolvers.Scaffold or LocalSolvers.FedDyn && !PrivacyDefaults.Has(written, "aggregation", "weighting")
            ? spec with { Aggregation = spec.Aggregation with { Weighting = Weightings.Uniform } }
            : spec;
}
