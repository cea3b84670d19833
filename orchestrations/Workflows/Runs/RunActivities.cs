using FedServerless.Workflows.Engine;

namespace FedServerless.Workflows.Runs;

/// <summary>The activities a run's workflow calls.</summary>
public static class RunActivities
{
    /// <summary>Reads outcome, control, rounds, evaluations and presence, prepares version 0 where needed, and says what is next.</summary>
    public static Activity<RunProgress, RunStep> DecideStep { get; } = new("DecideStep", RetrySpec.Storage);
}
