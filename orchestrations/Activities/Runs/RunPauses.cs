namespace FedServerless.Activities.Runs;

/// <summary>How long a run waits before it looks again by itself. Wakes cut all but the back-off short.</summary>
public static class RunPauses
{
    /// <summary>Rounds abandoned in a row that end a run.</summary>
    public const int MaxAbandonedInRow = 5;

    /// <summary>While paused, in seconds.</summary>
    public const double OperatorSeconds = 60;

    /// <summary>While too few clients were seen, in seconds.</summary>
    public const double ClientsSeconds = 15;

    /// <summary>After the n-th abandoned round in a row: 1, 2, 4, 8 s.</summary>
    public static double BackOffSeconds(int abandonedInRow) => Math.Min(300, Math.Pow(2, Math.Max(0, abandonedInRow - 1)));
}

/// <summary>What an operator may want of a run.</summary>
public static class ControlStates
{
    /// <summary>Go on.</summary>
    public const string Run = "run";

    /// <summary>Wait at the next round boundary.</summary>
    public const string Pause = "pause";

    /// <summary>End; an open round is sealed as abandoned unless it is already sealed for aggregation.</summary>
    public const string Stop = "stop";
}
