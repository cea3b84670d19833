namespace FedServerless.Gateway.Upkeep;

/// <summary>How a deployment looks after itself.</summary>
public sealed record UpkeepOptions
{
    /// <summary>
    /// How long a run's workflow must be seen failed, unknown to the engine or ended without an outcome before it is recovered, above
    /// 0; doubled by every recovery that did not help, up to <see cref="MaxBackOff"/> times. Default 30 s, so that the second look finds it.
    /// </summary>
    public TimeSpan ConfirmAfter { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long a workflow that runs may leave the run's blobs as they are when it should move (the deadline is over, or clients are
    /// there and no round begins) before it is recovered; longer than the longest pause and the longest activity. Default 15 minutes.
    /// </summary>
    public TimeSpan StuckAfter { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>Most recoveries of one run in an hour, 1 or more; the next waits. Default 5.</summary>
    public int MaxRecoveriesPerHour { get; init; } = 5;

    /// <summary>Recoveries in a row without a round closing between them after which the run is left to the operator, 1 or more. Default 5.</summary>
    public int GiveUpAfter { get; init; } = 5;

    /// <summary>
    /// Age at which the workflow instances of ended runs and closed rounds are purged, a minute or more. Status comes from blobs, so
    /// nothing but the engine's own history is lost. Default 7 days; the local host keeps them for a day.
    /// </summary>
    public TimeSpan KeepInstancesFor { get; init; } = TimeSpan.FromDays(7);

    /// <summary>Purges after which a pass ends with the round it is at, 1 or more, so that a pass ends within seconds whatever has piled up. Default 500.</summary>
    public int MaxPurgesPerPass { get; init; } = 500;

    /// <summary>How long audit records are kept, a day or more. Default 400 days.</summary>
    public TimeSpan KeepAuditFor { get; init; } = TimeSpan.FromDays(400);

    /// <summary>Largest factor by which <see cref="ConfirmAfter"/> grows.</summary>
    public const int MaxBackOff = 8;

    /// <summary>Everything that is wrong with the options, for an error at start.</summary>
    public IEnumerable<string> Problems()
    {
        if (ConfirmAfter <= TimeSpan.Zero)
        {
            yield return $"ConfirmAfter is {ConfirmAfter}; expected more than 0.";
        }

        if (StuckAfter <= TimeSpan.Zero)
        {
            yield return $"StuckAfter is {StuckAfter}; expected more than 0.";
        }

        if (MaxRecoveriesPerHour < 1)
        {
            yield return $"MaxRecoveriesPerHour is {MaxRecoveriesPerHour}; expected 1 or more.";
        }

        if (GiveUpAfter < 1)
        {
            yield return $"GiveUpAfter is {GiveUpAfter}; expected 1 or more.";
        }

        if (KeepInstancesFor < TimeSpan.FromMinutes(1))
        {
            yield return $"KeepInstancesFor is {KeepInstancesFor}; expected a minute or more.";
        }

        if (MaxPurgesPerPass < 1)
        {
            yield return $"MaxPurgesPerPass is {MaxPurgesPerPass}; expected 1 or more.";
        }

        if (KeepAuditFor < TimeSpan.FromDays(1))
        {
            yield return $"KeepAuditFor is {KeepAuditFor}; expected a day or more.";
        }
    }
}
