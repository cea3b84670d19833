namespace FedServerless.Client;

/// <summary>What one check-in led to.</summary>
public enum FedStepOutcome
{
    /// <summary>There was nothing to do.</summary>
    NoWork = 0,

    /// <summary>An update or an evaluation was committed in time.</summary>
    Committed = 1,

    /// <summary>An update or an evaluation was committed late: only the round's seal tells whether it counts.</summary>
    Late = 2,

    /// <summary>The work was left; <see cref="FedStep.Reason"/> says why.</summary>
    GaveUp = 3,

    /// <summary>The server repeated work that this client has already settled or left.</summary>
    Repeated = 4,

    /// <summary>This is no time for work: the device's conditions, the day's bytes, or a rest; <see cref="FedStep.Reason"/> says which.</summary>
    Deferred = 5,
}

/// <summary>One step of a client: a check-in and the work it brought.</summary>
/// <param name="Outcome">How it ended.</param>
/// <param name="Run">The run of the work; null for none.</param>
/// <param name="Round">The round of the work; null for none.</param>
/// <param name="Pause">How long to wait before the next step.</param>
/// <param name="Reason">Why the work was left or put off; null otherwise.</param>
public sealed record FedStep(FedStepOutcome Outcome, string? Run, int? Round, TimeSpan Pause, string? Reason = null);
