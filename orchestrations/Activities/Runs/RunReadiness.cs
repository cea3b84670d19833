using FedServerless.Wire;

namespace FedServerless.Activities.Runs;

/// <summary>What a run needs before it plans a round.</summary>
public static class RunReadiness
{
    /// <summary>Clients that must have been seen lately; at least 1.</summary>
    public static int ClientsNeeded(RunSpec spec) => spec.Selection.Kind switch
    {
        Selections.Poisson => spec.Round.Minimum,
        Selections.Uniform => Math.Max(spec.Round.Minimum, spec.Selection.Clients ?? 1),
        _ => Math.Max(spec.Round.Minimum, spec.Round.Quorum ?? 1),
    };
}
