namespace FedServerless.Local.Engine;

/// <summary>Ids of the engine's log lines: 2000 to 2099.</summary>
internal static class EngineEventIds
{
    public const int InstanceStarted = 2000;
    public const int InstanceEnded = 2001;
    public const int InstanceFailed = 2002;
    public const int UnknownWorkflow = 2003;
    public const int ReplayMismatch = 2004;
    public const int WorkflowLog = 2005;
    public const int AttemptFailed = 2010;
    public const int ActivityFailed = 2011;
    public const int JournalUnavailable = 2020;
    public const int JournalRecovered = 2021;
    public const int EngineEnded = 2030;
}
