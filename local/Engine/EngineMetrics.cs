using System.Diagnostics.Metrics;

namespace FedServerless.Local.Engine;

/// <summary>The engine's counters, under the meter <c>FedServerless.Engine</c>.</summary>
internal static class EngineMetrics
{
    private static readonly Meter Meter = new("FedServerless.Engine");

    public static readonly Counter<long> Commits = Meter.CreateCounter<long>("fedserverless.engine.commits", "{commit}", "Transactions of the journal.");

    public static readonly Counter<long> Events = Meter.CreateCounter<long>("fedserverless.engine.events", "{event}", "Ends of calls recorded.");

    public static readonly Counter<long> AttemptsFailed =
        Meter.CreateCounter<long>("fedserverless.engine.attempts_failed", "{attempt}", "Attempts of activities that threw.");

    public static readonly Counter<long> WorkflowsFailed =
        Meter.CreateCounter<long>("fedserverless.engine.workflows_failed", "{instance}", "Instances that failed.");

    public static readonly Counter<long> ReplayRestarts =
        Meter.CreateCounter<long>("fedserverless.engine.replay_restarts", "{instance}", "Instances restarted because their journal did not match the code.");
}
