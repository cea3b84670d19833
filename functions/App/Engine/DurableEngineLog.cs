using Microsoft.Extensions.Logging;

namespace FedServerless.Functions.Engine;

/// <summary>The adapter's log lines: ids 2100 to 2199.</summary>
internal static partial class DurableEngineLog
{
    /// <summary>The category of what workflows log.</summary>
    public const string Category = "FedServerless.Workflows";

    [LoggerMessage(2105, LogLevel.Information, "{Instance}: {Message}")]
    public static partial void WorkflowLog(ILogger logger, string instance, string message);

    [LoggerMessage(2110, LogLevel.Warning, "An attempt of {Activity} for {Instance} failed")]
    public static partial void AttemptFailed(ILogger logger, string activity, string instance, Exception exception);

    [LoggerMessage(2111, LogLevel.Error, "{Workflow} {Instance} failed: {Reason}")]
    public static partial void WorkflowFailed(ILogger logger, string workflow, string instance, string reason);

    [LoggerMessage(2120, LogLevel.Debug, "A wake of {Instance} was not sent")]
    public static partial void WakeLost(ILogger logger, string instance, Exception exception);
}
