namespace FedServerless.Functions.Engine;

/// <summary>How the adapter waits for children.</summary>
internal sealed record DurableEngineOptions
{
    /// <summary>
    /// First pause before a parent looks at a child that did not wake it; each is twice the one before. Default 2 s. A child's end
    /// wakes its parent, so looking is for wakes that were lost and for parents that found the child running.
    /// </summary>
    public TimeSpan FirstLook { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Longest such pause. Default four hours: a round of seven days costs its parent fewer than 60 looks.</summary>
    public TimeSpan LongestLook { get; init; } = TimeSpan.FromHours(4);
}
