using System.Diagnostics.Metrics;

namespace FedServerless.Functions.Engine;

/// <summary>The adapter's instruments, under the meter of every engine, <c>FedServerless.Engine</c>.</summary>
internal static class DurableEngineMetrics
{
    /// <summary>The meter's name.</summary>
    public const string MeterName = "FedServerless.Engine";

    /// <summary>Tag: the workflow's name.</summary>
    public const string Workflow = "workflow";

    private static readonly Meter Meter = new(MeterName);

    /// <summary>Calls, timers, waits and events of one generation of a workflow: what Durable records and, on the scheduler, charges for.</summary>
    public static readonly Histogram<int> Actions =
        Meter.CreateHistogram<int>("fedserverless.engine.actions", "{action}", "Actions of one generation of a workflow.");

    public static readonly Counter<long> AttemptsFailed =
        Meter.CreateCounter<long>("fedserverless.engine.attempts_failed", "{attempt}", "Attempts of activities that threw.");

    public static readonly Counter<long> WorkflowsFailed =
        Meter.CreateCounter<long>("fedserverless.engine.workflows_failed", "{instance}", "Instances that failed.");
}
