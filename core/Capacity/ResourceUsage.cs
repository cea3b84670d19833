namespace FedServerless.Capacity;

/// <summary>What some work took of what a cloud charges for. All numbers are 0 or more.</summary>
/// <param name="Writes">Write requests to the store: creates, overwrites, swaps, blocks.</param>
/// <param name="Reads">Read requests: contents, ranges, facts.</param>
/// <param name="Lists">Pages of listings.</param>
/// <param name="Deletes">Deletions.</param>
/// <param name="BytesWritten">Bytes written.</param>
/// <param name="BytesRead">Bytes read, wherever the reader was.</param>
/// <param name="EgressBytes">Bytes that left the region: models that devices fetched.</param>
/// <param name="Executions">Activities and requests that ran.</param>
/// <param name="GbSeconds">Seconds that instances were busy, times their memory in GB (1024 MB); what runs at once shares its instance's time.</param>
/// <param name="EngineActions">Messages that the workflow engine dispatched.</param>
public sealed record ResourceUsage(
    long Writes = 0, long Reads = 0, long Lists = 0, long Deletes = 0, long BytesWritten = 0, long BytesRead = 0, long EgressBytes = 0,
    long Executions = 0, double GbSeconds = 0, long EngineActions = 0)
{
    /// <summary>Engine actions of an activity: scheduling it and taking its result.</summary>
    public const int ActionsPerActivity = 2;

    /// <summary>Nothing.</summary>
    public static ResourceUsage None { get; } = new();

    /// <summary>Requests of any kind to the store.</summary>
    public long Requests => Writes + Reads + Lists + Deletes;

    /// <summary>Both together.</summary>
    public static ResourceUsage operator +(ResourceUsage left, ResourceUsage right)
    {
        ArgumentNullException.ThrowIfNull(left);
        ArgumentNullException.ThrowIfNull(right);
        return new ResourceUsage(
            left.Writes + right.Writes, left.Reads + right.Reads, left.Lists + right.Lists, left.Deletes + right.Deletes,
            left.BytesWritten + right.BytesWritten, left.BytesRead + right.BytesRead, left.EgressBytes + right.EgressBytes,
            left.Executions + right.Executions, left.GbSeconds + right.GbSeconds, left.EngineActions + right.EngineActions);
    }

    /// <summary>So many times the same.</summary>
    public static ResourceUsage operator *(long times, ResourceUsage usage)
    {
        ArgumentNullException.ThrowIfNull(usage);
        return new ResourceUsage(
            times * usage.Writes, times * usage.Reads, times * usage.Lists, times * usage.Deletes, times * usage.BytesWritten,
            times * usage.BytesRead, times * usage.EgressBytes, times * usage.Executions, times * usage.GbSeconds, times * usage.EngineActions);
    }

    /// <summary>The sum of any number.</summary>
    public static ResourceUsage Sum(IEnumerable<ResourceUsage> usages) => usages.Aggregate(None, (sum, usage) => sum + usage);
}
