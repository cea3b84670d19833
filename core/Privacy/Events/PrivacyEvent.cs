namespace FedServerless.Privacy;

/// <summary>
/// What happened to privacy, without its price: events describe, accountants price. The set is closed, so that no accountant
/// ever guesses.
/// </summary>
public abstract record PrivacyEvent
{
    // Nobody outside adds an event that the accountants do not know.
    private protected PrivacyEvent()
    {
    }

    /// <summary>The releases this event is made of, in order, each with how often it happens; counts are positive.</summary>
    /// <exception cref="OverflowException">A count exceeds 2⁶³ − 1.</exception>
    public IEnumerable<(ReleaseEvent Release, long Count)> Releases() => Releases(1);

    internal abstract IEnumerable<(ReleaseEvent Release, long Count)> Releases(long times);
}
