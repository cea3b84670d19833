namespace FedServerless.Functions.Platform.Secrets;

/// <summary>How often the vault is read, and how long what was read is relied on.</summary>
internal sealed record VaultSecretsOptions
{
    /// <summary>Pause between readings. Default an hour.</summary>
    public TimeSpan RefreshEvery { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Part of a pause that is drawn, so that hosts which started together do not ask together. Default a fifth.</summary>
    public double Jitter { get; init; } = 0.2;

    /// <summary>Shortest pause after a failure; it doubles up to <see cref="MaxRetryAfter"/>. Default a second.</summary>
    public TimeSpan MinRetryAfter { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Longest pause after a failure. Default a minute.</summary>
    public TimeSpan MaxRetryAfter { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Shortest pause before an unknown secret makes the host look again: anybody may send one. Default a minute.</summary>
    public TimeSpan HintsEvery { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How long the last reading is relied on while the vault cannot be read. Default 24 hours.</summary>
    public TimeSpan MaxAge { get; init; } = TimeSpan.FromHours(24);

    /// <summary>Longest time a reading may take. Default 30 s.</summary>
    public TimeSpan ReadWithin { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Longest time that a request waits for the first reading. Default 10 s.</summary>
    public TimeSpan FirstWithin { get; init; } = TimeSpan.FromSeconds(10);
}
