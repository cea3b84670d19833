namespace FedServerless.Privacy;

/// <summary>The same event so many times.</summary>
public sealed record RepeatedEvent : PrivacyEvent
{
    /// <summary>Repeats <paramref name="inner"/>.</summary>
    /// <param name="inner">What happens.</param>
    /// <param name="count">How often, 0 or more.</param>
    public RepeatedEvent(PrivacyEvent inner, long count)
    {
        ArgumentNullException.ThrowIfNull(inner);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        Inner = inner;
        Count = count;
    }

    /// <summary>What happens.</summary>
    public PrivacyEvent Inner { get; }

    /// <summary>How often.</summary>
    public long Count { get; }

    internal override IEnumerable<(ReleaseEvent Release, long Count)> Releases(long times) =>
        Count == 0 ? [] : Inner.Releases(checked(times * Count));
}
