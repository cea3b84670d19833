using System.Collections.Immutable;
using FedServerless.Wire;

namespace FedServerless.Privacy;

/// <summary>
/// What the entries of a ledger add up to, from the first to <see cref="Head"/>. Immutable: adding an entry gives another state. An entry that no
/// writer could have written breaks the ledger.
/// </summary>
public sealed class LedgerState
{
    private readonly ImmutableDictionary<LedgerKey, LedgerStanding> _keys;
    private readonly ImmutableDictionary<NoisyRelease, LedgerCount> _counts;
    private readonly ImmutableHashSet<string> _runs;

    private LedgerState(
        string population, long head, Digest? headDigest, ImmutableList<LedgerEntry> budgets, ImmutableList<LedgerEntry> notes,
        ImmutableDictionary<LedgerKey, LedgerStanding> keys, ImmutableDictionary<NoisyRelease, LedgerCount> counts, ImmutableHashSet<string> runs)
    {
        (Population, Head, HeadDigest, Budgets, Notes) = (population, head, headDigest, budgets, notes);
        (_keys, _counts, _runs) = (keys, counts, runs);
    }

    /// <summary>Whose ledger.</summary>
    public string Population { get; }

    /// <summary>The number of the last entry; 0 for a population without a ledger.</summary>
    public long Head { get; }

    /// <summary>SHA-256 of the last entry's bytes; null without one.</summary>
    public Digest? HeadDigest { get; }

    /// <summary>Every budget entry, in order; the last one holds.</summary>
    public IReadOnlyList<LedgerEntry> Budgets { get; }

    /// <summary>Every note, in order.</summary>
    public IReadOnlyList<LedgerEntry> Notes { get; }

    /// <summary>The budget that holds; null for a population without a ledger.</summary>
    public PrivacyBudget? Budget => Budgets.Count == 0 ? null : Budgets[^1].Budget;

    /// <summary>How often each release stands in the ledger, in an order that depends on nothing but the releases.</summary>
    public IReadOnlyList<KeyValuePair<NoisyRelease, LedgerCount>> Counts => [.. _counts
        .Where(entry => entry.Value.Counting > 0)
        .OrderBy(entry => entry.Key.Sampling).ThenBy(entry => entry.Key.SamplingRate).ThenBy(entry => entry.Key.NoiseMultiplier)
        .ThenBy(entry => entry.Key.GridBits ?? -1).ThenBy(entry => entry.Key.Adjacency).ThenBy(entry => entry.Key.Unit)];

    /// <summary>Every key with its standing, in no particular order.</summary>
    public IEnumerable<KeyValuePair<LedgerKey, LedgerStanding>> Keys => _keys;

    /// <summary>The ledger of a population before its first entry.</summary>
    public static LedgerState Empty(string population)
    {
        ArgumentNullException.ThrowIfNull(population);
        return new(population, 0, null, [], [], ImmutableDictionary<LedgerKey, LedgerStanding>.Empty, ImmutableDictionary<NoisyRelease, LedgerCount>.Empty, []);
    }

    /// <summary>How far a key has come; null where it stands nowhere.</summary>
    public LedgerStanding? Find(LedgerKey key) => _keys.GetValueOrDefault(key);

    /// <summary>Whether a reservation, charge or release names the run.</summary>
    public bool NamesRun(string run) => _runs.Contains(run);

    /// <summary>Whether anything was ever reserved: from then on what a theorem asks to be declared in advance is fixed.</summary>
    public bool HasReservations => !_keys.IsEmpty;

    /// <summary>The state after the next entry.</summary>
    /// <param name="entry">As read.</param>
    /// <param name="digest">SHA-256 of its bytes.</param>
    /// <exception cref="LedgerBrokenException">It cannot be the next entry of this ledger.</exception>
    public LedgerState After(LedgerEntry entry, Digest digest)
    {
        ArgumentNullException.ThrowIfNull(entry);
        ThrowIfNotNext(entry);
        return entry.Kind switch
        {
            LedgerEntryKinds.Budget => AfterBudget(entry, digest),
            LedgerEntryKinds.Note => AfterNote(entry, digest),
            LedgerEntryKinds.Reserve => AfterReserve(entry, digest),
            LedgerEntryKinds.Charge => AfterEnd(entry, digest, LedgerStatus.Charged),
            LedgerEntryKinds.Release => AfterEnd(entry, digest, LedgerStatus.Released),
            _ => throw Broken(entry, $"its kind is '{entry.Kind}', expected one of {string.Join(", ", LedgerEntryKinds.All)}"),
        };
    }

    private void ThrowIfNotNext(LedgerEntry entry)
    {
        if (entry.Format is < 1 or > LedgerEntry.CurrentFormat)
        {
            throw Broken(entry, $"its format is {entry.Format}; this version reads up to {LedgerEntry.CurrentFormat}");
        }

        if (entry.Number != Head + 1 || entry.Number > LedgerEntry.LargestNumber)
        {
            throw Broken(entry, $"it says it is entry {entry.Number}");
        }

        if (entry.Population != Population)
        {
            throw Broken(entry, $"it belongs to population '{entry.Population}'");
        }

        if (entry.Previous != HeadDigest)
        {
            throw Broken(entry, $"it follows an entry with the hash {entry.Previous?.ToString() ?? "none"}, but entry {Head} has {HeadDigest?.ToString() ?? "none"}");
        }

        if (Head == 0 && entry.Kind != LedgerEntryKinds.Budget)
        {
            throw Broken(entry, $"the first entry is a {entry.Kind}, not a budget");
        }
    }

    private LedgerState AfterBudget(LedgerEntry entry, Digest digest)
    {
        if (entry is not { Budget: { } budget, Operator: not null, Run: null, Round: null, Release: null })
        {
            throw Broken(entry, "a budget entry has a budget and an operator, and no round");
        }

        if (budget.Problem() is { } problem)
        {
            throw Broken(entry, $"its budget is none: {problem}");
        }

        if (BudgetChange.Problem(this, budget) is { } change)
        {
            throw Broken(entry, change);
        }

        return Next(entry, digest, budgets: ((ImmutableList<LedgerEntry>)Budgets).Add(entry));
    }

    private LedgerState AfterNote(LedgerEntry entry, Digest digest) =>
        entry is { Reason: not null, Operator: not null, Round: null, Release: null, Budget: null }
            ? Next(entry, digest, notes: ((ImmutableList<LedgerEntry>)Notes).Add(entry))
            : throw Broken(entry, "a note has a reason and an operator, and no round");

    private LedgerState AfterReserve(LedgerEntry entry, Digest digest)
    {
        if (entry is not { Release: { } release, Budget: null })
        {
            throw Broken(entry, "a reservation has a release and no budget");
        }

        var key = KeyOf(entry);
        if (_keys.TryGetValue(key, out var there))
        {
            throw Broken(entry, $"round {key.Round} of run '{key.Run}' was reserved before, and is {there.Status} by entry {there.Number}");
        }

        try
        {
            _ = release.Against(PrivacyAdversary.ModelHolder);
            _ = release.Against(PrivacyAdversary.CohortObserver);
        }
        catch (Exception exception) when (exception is ArgumentException or InvalidOperationException)
        {
            throw Broken(entry, $"its release cannot be priced: {exception.Message}");
        }

        if (release.Unit != PrivacyUnit.Client || (!_counts.IsEmpty && _counts.Keys.First().Adjacency != release.Adjacency))
        {
            throw Broken(entry, $"it protects a {release.Unit} under {release.Adjacency}: a ledger holds releases that protect clients, under one adjacency");
        }

        var count = _counts.GetValueOrDefault(release);
        return Next(
            entry, digest, _keys.Add(key, new LedgerStanding(LedgerStatus.Reserved, release, entry.Number)),
            _counts.SetItem(release, count with { Reserved = count.Reserved + 1 }), _runs.Add(key.Run));
    }

    private LedgerState AfterEnd(LedgerEntry entry, Digest digest, LedgerStatus status)
    {
        if (entry is not { Release: null, Budget: null })
        {
            throw Broken(entry, $"a {entry.Kind} has neither a release nor a budget");
        }

        var key = KeyOf(entry);
        if (!_keys.TryGetValue(key, out var there))
        {
            throw Broken(entry, $"round {key.Round} of run '{key.Run}' was never reserved");
        }

        if (there.Status != LedgerStatus.Reserved)
        {
            throw Broken(entry, $"round {key.Round} of run '{key.Run}' is {there.Status} by entry {there.Number} already");
        }

        var count = _counts[there.Release];
        var after = new LedgerCount(count.Charged + (status == LedgerStatus.Charged ? 1 : 0), count.Reserved - 1);
        return Next(entry, digest, _keys.SetItem(key, there with { Status = status, Number = entry.Number }), _counts.SetItem(there.Release, after));
    }

    private LedgerKey KeyOf(LedgerEntry entry) => entry is { Run: { } run, Round: >= 1 and var round } && Identifiers.IsValid(run)
        ? new LedgerKey(run, round)
        : throw Broken(entry, $"a {entry.Kind} names a run and a round; this is run '{entry.Run}', round {entry.Round}");

    private LedgerState Next(
        LedgerEntry entry, Digest digest, ImmutableDictionary<LedgerKey, LedgerStanding>? keys = null, ImmutableDictionary<NoisyRelease, LedgerCount>? counts = null,
        ImmutableHashSet<string>? runs = null, ImmutableList<LedgerEntry>? budgets = null, ImmutableList<LedgerEntry>? notes = null) =>
        new(Population, entry.Number, digest, budgets ?? (ImmutableList<LedgerEntry>)Budgets, notes ?? (ImmutableList<LedgerEntry>)Notes, keys ?? _keys, counts ?? _counts, runs ?? _runs);

    private LedgerBrokenException Broken(LedgerEntry entry, string what) => new(Population, Head + 1, what);
}
