namespace FedServerless.Workflows;

/// <summary>Names of the wakes. All are hints.</summary>
public static class WakeEvents
{
    /// <summary>To a round: receipts or evaluations reached the quorum.</summary>
    public const string Quorum = "quorum";

    /// <summary>To a run: clients were seen.</summary>
    public const string Clients = "clients";

    /// <summary>To a run: the operator paused, resumed or stopped it.</summary>
    public const string Control = "control";
}
