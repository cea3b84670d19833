using FedServerless.Activities.Metering;
using FedServerless.Gateway.Limits;
using FedServerless.Gateway.Upkeep;
using FedServerless.Storage.Presigned;

namespace FedServerless.Gateway;

/// <summary>How a host runs the gateway.</summary>
public sealed record GatewayOptions
{
    /// <summary>
    /// The address devices use, when a proxy stands before the host and changes scheme, host or path; null where requests arrive
    /// as they were sent. Proofs and enrolment codes name it. Default null.
    /// </summary>
    public Uri? PublicUrl { get; init; }

    /// <summary>
    /// Longest time a check-in with <c>Prefer: wait=N</c> is held, 0 to 60 s. 0 where a waiting request costs money. Default 0.
    /// </summary>
    public TimeSpan HoldCheckInsFor { get; init; }

    /// <summary>Check-ins a second that a host should get from an idle population, above 0. Default 50.</summary>
    public double CheckInsPerSecond { get; init; } = 50;

    /// <summary>Shortest pause between check-ins that are not held. Default 5 s.</summary>
    public TimeSpan MinRetryAfter { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Longest pause between check-ins. Default 10 minutes.</summary>
    public TimeSpan MaxRetryAfter { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>How long the view of a population's open work may be behind while nobody rings, above 0. Default 3 s.</summary>
    public TimeSpan BoardFreshFor { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>Life of pre-signed URLs, one second to one day. Default an hour.</summary>
    public TimeSpan UrlsValidFor { get; init; } = TimeSpan.FromHours(1);

    /// <summary>How the deployment looks after itself.</summary>
    public UpkeepOptions Upkeep { get; init; } = new();

    /// <summary>How much one sender may ask.</summary>
    public RequestLimits Limits { get; init; } = new();

    /// <summary>How usage is measured and priced. Default: 2048 MB, the example prices.</summary>
    public UsageOptions Usage { get; init; } = new();

    /// <summary>True for the host's own ways of saying that there is no room left, besides <see cref="Storage.StoreFullException"/>.</summary>
    public Func<Exception, bool> IsStoreFull { get; init; } = static _ => false;

    /// <summary>
    /// A sentence for a failure of something that the host leans on (the account's network, its rights), which is nobody's fault who
    /// asked: such a request gets 503. Null for any other failure.
    /// </summary>
    public Func<Exception, string?> ExplainFailure { get; init; } = static _ => null;

    /// <summary>What the host itself knows to be wrong with it (its engine's journal, say), for health; null when all is well.</summary>
    public Func<string?> Trouble { get; init; } = static () => null;

    /// <summary>Ends when the host stops, so that held requests are let go.</summary>
    public CancellationToken Stopping { get; init; }

    /// <summary>Everything that is wrong with the options, for an error at start.</summary>
    public IEnumerable<string> Problems()
    {
        if (PublicUrl is { } url && (!url.IsAbsoluteUri || url.Scheme is not ("http" or "https") || url.Query.Length > 0))
        {
            yield return $"PublicUrl is '{url}'; expected an absolute http or https address without a query.";
        }

        if (HoldCheckInsFor < TimeSpan.Zero || HoldCheckInsFor > TimeSpan.FromSeconds(60))
        {
            yield return $"HoldCheckInsFor is {HoldCheckInsFor}; expected 0 to 60 seconds.";
        }

        if (!(CheckInsPerSecond > 0) || !double.IsFinite(CheckInsPerSecond))
        {
            yield return $"CheckInsPerSecond is {CheckInsPerSecond}; expected a number above 0.";
        }

        if (MinRetryAfter <= TimeSpan.Zero || MaxRetryAfter < MinRetryAfter)
        {
            yield return $"MinRetryAfter is {MinRetryAfter} and MaxRetryAfter {MaxRetryAfter}; expected 0 < MinRetryAfter ≤ MaxRetryAfter.";
        }

        if (Usage.InstanceMemoryMb is < UsageOptions.MinInstanceMemoryMb or > UsageOptions.MaxInstanceMemoryMb)
        {
            yield return $"Usage.InstanceMemoryMb is {Usage.InstanceMemoryMb}; expected {UsageOptions.MinInstanceMemoryMb} to {UsageOptions.MaxInstanceMemoryMb}.";
        }

        if (Usage.FlushEvery <= TimeSpan.Zero)
        {
            yield return $"Usage.FlushEvery is {Usage.FlushEvery}; expected more than 0.";
        }

        if (BoardFreshFor <= TimeSpan.Zero)
        {
            yield return $"BoardFreshFor is {BoardFreshFor}; expected more than 0, or held check-ins never rest.";
        }

        if (UrlsValidFor < PresignLimits.MinValidFor || UrlsValidFor > PresignLimits.MaxValidFor)
        {
            yield return $"UrlsValidFor is {UrlsValidFor}; expected {PresignLimits.MinValidFor} to {PresignLimits.MaxValidFor}.";
        }

        foreach (var problem in Upkeep.Problems().Concat(Limits.Problems()))
        {
            yield return problem;
        }
    }
}
