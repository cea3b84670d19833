namespace FedServerless.Gateway.Limits;

/// <summary>
/// How much one sender may ask of one host. The buckets are in memory: behind N hosts a sender that reaches them all gets N times as
/// much. What holds for the whole deployment does so by what is stored: docs/concepts/threat-model.md lists it.
/// </summary>
public sealed record RequestLimits
{
    /// <summary>Longest path and query, in characters.</summary>
    public const int MaxUrlLength = 2048;

    /// <summary>Most headers.</summary>
    public const int MaxHeaders = 100;

    /// <summary>Most characters of all headers' names and values.</summary>
    public const int MaxHeadersLength = 32 << 10;

    /// <summary>
    /// Requests from one address whose sender has not proved who it is. What a proof costs comes back once it holds, so that a
    /// thousand devices behind one address do not take from each other. Default 20 a second, 1000 at once.
    /// </summary>
    public TokenRate Address { get; init; } = new(20, 1000);

    /// <summary>Requests of one device. Default 10 a second, 300 at once: far above what the SDK sends.</summary>
    public TokenRate Device { get; init; } = new(10, 300);

    /// <summary>Requests of one operator. Default 50 a second, 1000 at once.</summary>
    public TokenRate Operator { get; init; } = new(50, 1000);

    /// <summary>How many requests a refused proof, key or code counts for, 1 or more. Default 10.</summary>
    public double FailureCost { get; init; } = 10;

    /// <summary>Addresses, and as many devices, that a host keeps count of; a power of two from 64 to 1 048 576. Default 65 536, in 4 MiB.</summary>
    public int TrackedSenders { get; init; } = 1 << 16;

    /// <summary>
    /// Proxies before the host that add the sender's address to <c>X-Forwarded-For</c>, 0 to 8: the address that many entries from the
    /// right is the sender's, and whatever stands left of it is hearsay. 0 passes the header over. Default 0, on Azure Functions as well:
    /// its worker has put the front end's entry in the connection's place before the gateway sees the request.
    /// </summary>
    public int TrustedForwarders { get; init; }

    /// <summary>Everything that is wrong with the limits, for an error at start.</summary>
    public IEnumerable<string> Problems()
    {
        foreach (var (name, rate) in new[] { (nameof(Address), Address), (nameof(Device), Device), (nameof(Operator), Operator) })
        {
            if (!(rate.PerSecond > 0) || !double.IsFinite(rate.PerSecond) || !(rate.Burst >= 1) || !double.IsFinite(rate.Burst))
            {
                yield return $"Limits.{name} is {rate.PerSecond} a second, {rate.Burst} at once; expected more than 0 a second and 1 or more at once.";
            }
        }

        if (!(FailureCost >= 1) || !double.IsFinite(FailureCost))
        {
            yield return $"Limits.FailureCost is {FailureCost}; expected 1 or more.";
        }

        if (TrackedSenders is < 64 or > 1 << 20 || !int.IsPow2(TrackedSenders))
        {
            yield return $"Limits.TrackedSenders is {TrackedSenders}; expected a power of two from 64 to 1048576.";
        }

        if (TrustedForwarders is < 0 or > 8)
        {
            yield return $"Limits.TrustedForwarders is {TrustedForwarders}; expected 0 to 8.";
        }
    }
}

/// <summary>A token bucket's shape.</summary>
/// <param name="PerSecond">Requests a second in the long run, above 0.</param>
/// <param name="Burst">Requests at once after a silence, 1 or more.</param>
public readonly record struct TokenRate(double PerSecond, double Burst);
