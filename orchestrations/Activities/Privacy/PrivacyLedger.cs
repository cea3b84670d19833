using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using FedServerless.Activities.State;
using FedServerless.Activities.Telemetry;
using FedServerless.Privacy;
using FedServerless.Storage;
using FedServerless.Wire;

namespace FedServerless.Activities.Privacy;

/// <summary>
/// The privacy ledgers of populations: what may be spent, what is reserved and what is charged, once each by run and round. Every call may come twice, from
/// two hosts at once, or die at any line: whoever writes an entry first decides, everybody else reads it and decides again. One instance a process; thread-safe.
/// </summary>
/// <remarks>docs/concepts/privacy.md has the promise and the format.</remarks>
/// <param name="store">Where the federation lies.</param>
/// <param name="time">Stamps entries; decides nothing.</param>
public sealed class PrivacyLedger(IObjectStore store, TimeProvider time)
{
    private readonly LedgerReader _reader = new(store);
    private readonly ReleasePrices _prices = new();
    private readonly ConcurrentDictionary<string, long> _reported = new(StringComparer.Ordinal);

    /// <summary>Whether the population has a budget: then nothing may train on it that is not charged. One request, two where it has none.</summary>
    public Task<bool> IsGuardedAsync(string population, CancellationToken cancellationToken) => _reader.ExistsAsync(population, cancellationToken);

    /// <summary>The ledger as it stands, every entry verified; of a population without one the empty state.</summary>
    /// <exception cref="LedgerBrokenException">Where and how it is broken: nothing may go on.</exception>
    public async Task<LedgerState> ReadAsync(string population, CancellationToken cancellationToken)
    {
        var state = await _reader.ReadAsync(population, cancellationToken);
        Report(state);
        return state;
    }

    /// <summary>Sets the first or another budget. The same budget as the one that holds writes nothing.</summary>
    /// <param name="population">The population.</param>
    /// <param name="setting">What is asked for.</param>
    /// <param name="operator">Who asks.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <returns>The budget that holds, or why it was refused.</returns>
    public Task<BudgetAnswer> SetBudgetAsync(string population, BudgetSetting setting, string @operator, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(setting);
        ArgumentException.ThrowIfNullOrEmpty(@operator);
        return SettleAsync(population, Decide, cancellationToken);

        (LedgerDraft? Entry, BudgetAnswer Answer) Decide(LedgerState state)
        {
            var budget = setting.Over(state);
            if (state.Budget == budget)
            {
                return (null, new BudgetAnswer(budget, null));
            }

            return (budget.Problem() ?? BudgetChange.Problem(state, budget)) is { } problem
                ? (null, new BudgetAnswer(null, problem))
                : (new LedgerDraft(LedgerEntryKinds.Budget) { Budget = budget, Operator = @operator, Reason = setting.Reason, Unaccounted = setting.Unaccounted }, new BudgetAnswer(budget, null));
        }
    }

    /// <summary>Reserves what a planned round will release, if the budget admits it after everything charged and reserved.</summary>
    /// <param name="population">The population.</param>
    /// <param name="run">The run.</param>
    /// <param name="round">The round, from 1.</param>
    /// <param name="release">What it will release.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="InvalidOperationException">The round was reserved for another release.</exception>
    public Task<ReserveAnswer> ReserveAsync(string population, string run, int round, NoisyRelease release, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(release);
        var key = new LedgerKey(run, round);
        return SettleAsync(population, Decide, cancellationToken);

        (LedgerDraft? Entry, ReserveAnswer Answer) Decide(LedgerState state)
        {
            if (state.Find(key) is { } there)
            {
                return (null, Again(population, key, there, release));
            }

            return Refusal(state, release, 1) is { } refusal
                ? (null, new ReserveAnswer(false, refusal))
                : (new LedgerDraft(LedgerEntryKinds.Reserve) { Key = key, Release = release }, new ReserveAnswer(true, null));
        }
    }

    /// <summary>Whether so many releases would be admitted now; nothing is written.</summary>
    /// <param name="population">The population.</param>
    /// <param name="release">The release.</param>
    /// <param name="count">How many, 1 or more.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public async Task<ReserveAnswer> TryAsync(string population, NoisyRelease release, long count, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(release);
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        var refusal = Refusal(await ReadAsync(population, cancellationToken), release, count);
        return new ReserveAnswer(refusal is null, refusal);
    }

    /// <summary>Makes a reservation a charge. To be done, and to have returned, before the first noisy byte is written.</summary>
    /// <returns>The number of the entry that charged it, now or before.</returns>
    /// <exception cref="InvalidOperationException">It was never reserved, or was released.</exception>
    public Task<long> ChargeAsync(string population, string run, int round, CancellationToken cancellationToken)
    {
        var key = new LedgerKey(run, round);
        return SettleAsync(population, Decide, cancellationToken);

        (LedgerDraft? Entry, long Answer) Decide(LedgerState state) => state.Find(key) switch
        {
            { Status: LedgerStatus.Charged, Number: var number } => (null, number),
            { Status: LedgerStatus.Reserved } => (new LedgerDraft(LedgerEntryKinds.Charge) { Key = key }, 0),
            { Number: var number } => throw new InvalidOperationException(
                $"The reservation of round {round} of run '{run}' was released by entry {number} of the ledger of population '{population}'; it cannot be charged."),
            null => throw new InvalidOperationException($"Round {round} of run '{run}' was never reserved in the ledger of population '{population}'."),
        };
    }

    /// <summary>Gives a reservation back. Only for a round of which it is certain that it wrote nothing noisy and never will.</summary>
    /// <returns>True when the round does not count, released or never reserved; false when it is charged.</returns>
    public Task<bool> ReleaseAsync(string population, string run, int round, CancellationToken cancellationToken)
    {
        var key = new LedgerKey(run, round);
        return SettleAsync(population, Decide, cancellationToken);

        (LedgerDraft? Entry, bool Answer) Decide(LedgerState state) => state.Find(key)?.Status switch
        {
            LedgerStatus.Charged => (null, false),
            LedgerStatus.Reserved => (new LedgerDraft(LedgerEntryKinds.Release) { Key = key }, true),
            _ => (null, true),
        };
    }

    /// <summary>Whether the round is charged.</summary>
    public async Task<bool> IsChargedAsync(string population, string run, int round, CancellationToken cancellationToken) =>
        (await ReadAsync(population, cancellationToken)).Find(new LedgerKey(run, round))?.Status == LedgerStatus.Charged;

    /// <summary>Whether a run of this name stands in the ledger: another one may not be made under it, its rounds would count as charged.</summary>
    public async Task<bool> NamesRunAsync(string population, string run, CancellationToken cancellationToken) =>
        (await ReadAsync(population, cancellationToken)).NamesRun(run);

    /// <summary>Entries as they lie there, from behind one number to another; of a ledger that was just verified.</summary>
    /// <param name="population">The population.</param>
    /// <param name="after">The number before the first.</param>
    /// <param name="last">The number of the last.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public Task<IReadOnlyList<LedgerEntry>> EntriesAsync(string population, long after, long last, CancellationToken cancellationToken) =>
        _reader.EntriesAsync(population, after, last, cancellationToken);

    /// <summary>Writes a note, once: the same words about the same run are not written again.</summary>
    /// <param name="population">A guarded population.</param>
    /// <param name="reason">What is noted, at most <see cref="LedgerEntry.MaxReason"/> characters.</param>
    /// <param name="run">The run it is about, or null.</param>
    /// <param name="operator">Who notes it.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <returns>The number of the entry; null where the population has no ledger.</returns>
    public Task<long?> NoteAsync(string population, string reason, string? run, string @operator, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(reason);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(reason.Length, LedgerEntry.MaxReason);
        ArgumentException.ThrowIfNullOrEmpty(@operator);
        return SettleAsync(population, Decide, cancellationToken);

        (LedgerDraft? Entry, long? Answer) Decide(LedgerState state)
        {
            var there = state.Notes.FirstOrDefault(note => note.Reason == reason && note.Run == run);
            return state.Head == 0 || there is not null
                ? (null, there?.Number)
                : (new LedgerDraft(LedgerEntryKinds.Note) { Run = run, Reason = reason, Operator = @operator }, null);
        }
    }

    /// <summary>Decides on what is there, writes, and decides again on what is there then, until nothing is left to write.</summary>
    private async Task<T> SettleAsync<T>(string population, Func<LedgerState, (LedgerDraft? Entry, T Answer)> decide, CancellationToken cancellationToken)
    {
        while (true)
        {
            var state = await ReadAsync(population, cancellationToken);
            var (draft, answer) = decide(state);
            if (draft is null)
            {
                return answer;
            }

            // Whether it was ours or another's that got the name: what lies there now is read, verified and decided upon.
            var entry = draft.After(state, time.GetUtcNow());
            var bytes = JsonSerializer.SerializeToUtf8Bytes(entry, LedgerJson.Default.LedgerEntry);
            ThrowIfItWouldBreak(state, entry, bytes);
            var put = await store.PutBytesAsync(StoreNames.LedgerEntry(population, entry.Number), bytes, PutCondition.CreateOnce, cancellationToken);
            if (entry.Kind == LedgerEntryKinds.Budget && (put.Written || await _reader.HoldsAsync(population, entry.Number, Digest.Of(bytes), cancellationToken)))
            {
                // It has no key by which it is found again: two officers at once would set theirs again and again.
                return answer;
            }
        }
    }

    // A caller's mistake must never become an entry that stops the population for good.
    private static void ThrowIfItWouldBreak(LedgerState state, LedgerEntry entry, byte[] bytes)
    {
        try
        {
            _ = state.After(entry, Digest.Of(bytes));
        }
        catch (LedgerBrokenException exception)
        {
            throw new ArgumentException($"A {entry.Kind} that does not fit into the ledger of population '{state.Population}': {exception.What}.", exception);
        }

        if (bytes.Length > LedgerReader.MaxEntryBytes)
        {
            throw new ArgumentException($"A {entry.Kind} of {bytes.Length} bytes; an entry has at most {LedgerReader.MaxEntryBytes}.");
        }
    }

    private static ReserveAnswer Again(string population, LedgerKey key, LedgerStanding there, NoisyRelease release)
    {
        if (there.Release != release)
        {
            throw new InvalidOperationException(
                $"Round {key.Round} of run '{key.Run}' stands in the ledger of population '{population}' for {there.Release}, and was to be reserved for {release}.");
        }

        return there.Status == LedgerStatus.Released
            ? new ReserveAnswer(false, $"round {key.Round} of run '{key.Run}' was reserved and released by entry {there.Number}; a round's number is used once")
            : new ReserveAnswer(true, null);
    }

    // Once for each state that was seen: what it costs to add up is paid when something changed.
    private void Report(LedgerState state)
    {
        if (state.Budget is not { } budget || (_reported.TryGetValue(state.Population, out var head) && head == state.Head))
        {
            return;
        }

        var filter = budget.Filter();
        PrivacyTelemetry.Spent(state.Population, Math.Min(BudgetStanding.LargestRatio, filter.Share(_prices.Spent(state, budget, filter))));
        _reported[state.Population] = state.Head;
    }

    private string? Refusal(LedgerState state, NoisyRelease release, long count)
    {
        if (state.Budget is not { } budget)
        {
            return $"population '{state.Population}' has no privacy budget; set one with PUT /api/v1/populations/{state.Population}/budget or 'fed privacy budget'";
        }

        var filter = budget.Filter();
        var spent = _prices.Spent(state, budget, filter);
        var price = _prices.PriceOf(release, budget, filter);
        if (filter.Admits(spent, RenyiCurve.Zero(filter.Orders).Plus(price, count)))
        {
            return null;
        }

        var (before, after) = (filter.Share(spent), filter.Share(spent.Plus(price, count)));
        return string.Create(
            CultureInfo.InvariantCulture,
            $"the budget of population '{state.Population}' is epsilon {budget.Epsilon} at delta {budget.Delta}; {before:P1} of it is charged or reserved, and with this it would be {after:P1}");
    }
}
