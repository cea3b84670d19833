using FedServerless.Privacy;

namespace FedServerless.Activities.Privacy;

/// <summary>An entry before it has a place.</summary>
internal sealed record LedgerDraft(string Kind)
{
    public LedgerKey? Key { get; init; }

    public string? Run { get; init; }

    public NoisyRelease? Release { get; init; }

    public PrivacyBudget? Budget { get; init; }

    public string? Operator { get; init; }

    public string? Reason { get; init; }

    public IReadOnlyList<string>? Unaccounted { get; init; }

    public LedgerEntry After(LedgerState state, DateTimeOffset time) => new()
    {
        Format = LedgerEntry.CurrentFormat,
        Population = state.Population,
        Number = state.Head + 1,
        Previous = state.HeadDigest,
        Kind = Kind,
        Time = time,
        Run = Key?.Run ?? Run,
        Round = Key?.Round,
        Release = Release,
        Budget = Budget,
        Operator = Operator,
        Reason = Reason,
        Unaccounted = Unaccounted is { Count: > 0 } ? Unaccounted : null,
    };
}
