namespace FedServerless.Privacy;

/// <summary>What a ledger charges once.</summary>
/// <param name="Run">The run.</param>
/// <param name="Round">The round, from 1.</param>
public readonly record struct LedgerKey(string Run, int Round);

/// <summary>How far a key has come.</summary>
public enum LedgerStatus
{
    /// <summary>It counts, and may be charged or released.</summary>
    Reserved,

    /// <summary>It counts for ever.</summary>
    Charged,

    /// <summary>It does not count, and never will: a round's number is used once.</summary>
    Released,
}

/// <summary>A key in a ledger.</summary>
/// <param name="Status">How far it has come.</param>
/// <param name="Release">What was reserved.</param>
/// <param name="Number">The entry that brought it to its status.</param>
public sealed record LedgerStanding(LedgerStatus Status, NoisyRelease Release, long Number);

/// <summary>How often one kind of release stands in a ledger.</summary>
/// <param name="Charged">Charged ones.</param>
/// <param name="Reserved">Reserved ones that are neither charged nor released.</param>
public readonly record struct LedgerCount(long Charged, long Reserved)
{
    /// <summary>What counts against the budget.</summary>
    public long Counting => Charged + Reserved;
}
