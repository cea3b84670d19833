using FedServerless.Workflows.Engine;

namespace FedServerless.Activities.Rounds;

/// <summary>How sealed updates are cut for validation; a pure function of their number.</summary>
internal static class ValidationChunks
{
    private const int MinSize = 8;

    /// <summary>Updates a chunk has: 8, or as many as keep the fan-out within <see cref="WorkflowLimits.MaxFanOut"/>.</summary>
    public static int Size(int updates) => Math.Max(MinSize, (updates + WorkflowLimits.MaxFanOut - 1) / WorkflowLimits.MaxFanOut);

    /// <summary>Number of chunks.</summary>
    public static int Count(int updates) => (updates + Size(updates) - 1) / Size(updates);
}
