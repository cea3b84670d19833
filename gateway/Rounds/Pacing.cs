namespace FedServerless.Gateway.Rounds;

/// <summary>
/// Pace steering (Bonawitz et al. 2019, arXiv:1902.01046, section 2.3): how long a client without work stays away, so that an idle
/// population costs a host a constant rate of check-ins whatever its size.
/// </summary>
internal static class Pacing
{
    /// <summary>Share by which a pause is lengthened or shortened at random, so that clients that met once do not meet for ever.</summary>
    public const double Jitter = 0.2;

    /// <summary>
    /// <c>pause = clamp(N / R, min, max) · (1 + Jitter · u)</c> with N clients seen lately by this host, R the check-ins a second
    /// it should get, u uniform in [−1, 1). A request that was held has waited already: its pause is what is missing from that,
    /// and the minimum does not apply.
    /// </summary>
    public static double RetryAfterSeconds(GatewayOptions options, int clients, TimeSpan held, double chance)
    {
        var factor = 1 + (Jitter * ((2 * chance) - 1));
        var pause = Math.Min(clients / options.CheckInsPerSecond, options.MaxRetryAfter.TotalSeconds);
        return held > TimeSpan.Zero
            ? Math.Max(0, pause - held.TotalSeconds) * factor
            : Math.Max(pause, options.MinRetryAfter.TotalSeconds) * factor;
    }
}
