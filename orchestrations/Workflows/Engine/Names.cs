using System.Buffers;

namespace FedServerless.Workflows.Engine;

/// <summary>What ids and names may look like.</summary>
internal static class Names
{
    /// <summary>Longest name of an activity, workflow or event, in characters.</summary>
    public const int MaxStepLength = 100;

    private static readonly SearchValues<char> IdCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~-");

    public static void CheckInstanceId(string instanceId)
    {
        ArgumentException.ThrowIfNullOrEmpty(instanceId);
        if (instanceId.Length > WorkflowLimits.MaxInstanceIdLength || instanceId.AsSpan().ContainsAnyExcept(IdCharacters))
        {
            throw new ArgumentException(
                $"Instance id '{instanceId}' is not 1 to {WorkflowLimits.MaxInstanceIdLength} characters of [A-Za-z0-9._~-].",
                nameof(instanceId));
        }
    }

    public static void CheckStep(string name)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        if (name.Length > MaxStepLength)
        {
            throw new ArgumentException($"Name '{name}' is longer than {MaxStepLength} characters.", nameof(name));
        }
    }
}
