using FedServerless.Wire;

namespace FedServerless.Activities.Runs;

/// <summary>What a run needs before it plans a round.</summary>
public static class RunReadiness
{
    /// <summary>Clients that must have been seen lately; at least 1.</summary>
    public static int ClientsNeeded(RunSpec spec) => spec.Selection.Kind switch
    {
        // How many are there is nobody's business; that somebody is keeps a sleeping fleet from spending the budget on noise.
        _ when spec.Privacy is not null => 1,
        Selections.Poisson => spec.Round.Minimum,
        Selections.Uniform => Math.Max(spec.Round.Minimum, spec.Selection.Clients ?? 1),
        _ => Math.Max(spec.Round.Minimum, spec.Round.Quorum ?? 1),
    };
}
