namespace FedServerless.Workflows.Runs;

/// <summary>Where a run stands; the input of each generation of its workflow.</summary>
/// <param name="Run">The run.</param>
/// <param name="Round">The round to do next; 0 to find out from blobs.</param>
/// <param name="Published">Rounds published.</param>
/// <param name="AbandonedInRow">Rounds abandoned since the last published one.</param>
/// <param name="BackedOff">True when the pause after an abandoned round is over.</param>
public sealed record RunProgress(string Run, int Round = 0, int Published = 0, int AbandonedInRow = 0, bool BackedOff = false);

/// <summary>How a run ended.</summary>
/// <param name="State">A final one of <see cref="Wire.RunStates"/>.</param>
/// <param name="Reason">Why, for people.</param>
public sealed record RunResult(string State, string? Reason);

/// <summary>What a run does next, as an activity decided from blobs.</summary>
/// <param name="Kind">Which step.</param>
/// <param name="Progress">Where the run stands, with the round filled in.</param>
/// <param name="Reason">For people: why it waits or ended.</param>
/// <param name="State">When ended, the final state.</param>
/// <param name="PauseSeconds">When it waits, for how long at the most before it looks again.</param>
public sealed record RunStep(RunStepKind Kind, RunProgress Progress, string? Reason = null, string? State = null, double PauseSeconds = 0);

/// <summary>The steps of a run.</summary>
public enum RunStepKind
{
    /// <summary>Do the round of the progress.</summary>
    Round = 0,

    /// <summary>Wait until enough clients were seen lately.</summary>
    WaitForClients,

    /// <summary>Wait until the operator resumes or stops.</summary>
    WaitForOperator,

    /// <summary>Pause after an abandoned round.</summary>
    BackOff,

    /// <summary>It is over.</summary>
    Ended,

    /// <summary>Do the evaluation of the round before the progress's, then look again.</summary>
    Evaluation,
}

/// <summary>Beginnings of the statuses that others recognise.</summary>
public static class RunStatusTexts
{
    /// <summary>The run waits until enough clients were seen lately.</summary>
    public const string WaitingForClients = "waiting for clients";

    /// <summary>The run is in a round, whose number follows.</summary>
    public const string Round = "round";

    /// <summary>The run has a round evaluated, whose number follows.</summary>
    public const string Evaluating = "evaluating round";
}
