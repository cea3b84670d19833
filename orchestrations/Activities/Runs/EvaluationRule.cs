using FedServerless.Activities.State;
using FedServerless.Wire;

namespace FedServerless.Activities.Runs;

/// <summary>Which rounds' versions are evaluated.</summary>
internal static class EvaluationRule
{
    /// <summary>True when the version that this outcome published is to be evaluated before the run goes on.</summary>
    public static bool IsDue(RunSpec spec, RoundOutcomeDocument outcome) =>
        outcome.Published && spec.Evaluation is { } evaluation && outcome.PublishedRounds % evaluation.EveryRounds == 0;
}
