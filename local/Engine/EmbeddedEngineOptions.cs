namespace FedServerless.Local.Engine;

/// <summary>How the embedded engine runs.</summary>
public sealed class EmbeddedEngineOptions
{
    /// <summary>Most activities at once; at least 1. Default: the machine's cores, at least 2.</summary>
    public int MaxConcurrentActivities { get; set; } = Math.Max(2, Environment.ProcessorCount);

    /// <summary>
    /// Longest the engine sleeps while timers are pending; positive. Timers follow the wall clock, and a machine that was
    /// suspended notices within this time. Default: one minute.
    /// </summary>
    public TimeSpan ClockCheckInterval { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>Pause after the first failed write of the journal; it doubles up to <see cref="MaxJournalRetryDelay"/>. Default: 0.1 s.</summary>
    public TimeSpan JournalRetryDelay { get; set; } = TimeSpan.FromSeconds(0.1);

    /// <summary>Longest pause between attempts to write the journal. Default: 5 s.</summary>
    public TimeSpan MaxJournalRetryDelay { get; set; } = TimeSpan.FromSeconds(5);

    internal void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxConcurrentActivities, 1);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(ClockCheckInterval, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(JournalRetryDelay, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxJournalRetryDelay, JournalRetryDelay);
    }
}
