using System.Collections.Concurrent;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using FedServerless.Activities.State;
using FedServerless.Privacy;
using FedServerless.Storage;
using FedServerless.Wire;

namespace FedServerless.Activities.Privacy;

/// <summary>
/// Reads ledgers and holds every entry to the chain: all of it once a process, then what came since. What was verified is kept; whether it is still there is
/// asked of its last entry each time.
/// </summary>
internal sealed class LedgerReader(IObjectStore store)
{
    /// <summary>The largest entry: a budget with some ten thousand unaccounted runs.</summary>
    internal const int MaxEntryBytes = 1 << 20;

    private readonly ConcurrentDictionary<string, Verified> _verified = new(StringComparer.Ordinal);

    /// <summary>The state after the last entry there is.</summary>
    /// <exception cref="LedgerBrokenException">An entry is missing, changed, unreadable or impossible.</exception>
    public async Task<LedgerState> ReadAsync(string population, CancellationToken cancellationToken)
    {
        var verified = _verified.GetValueOrDefault(population);
        if (verified is null)
        {
            verified = await ReadAllAsync(population, cancellationToken);
        }
        else if (await store.HeadAsync(StoreNames.LedgerEntry(population, verified.State.Head), cancellationToken) is not { } head || head.ETag != verified.ETag)
        {
            throw new LedgerBrokenException(population, verified.State.Head, "it was verified by this process before, and is gone or another one now");
        }

        while (await FindAsync(population, verified.State.Head + 1, cancellationToken) is { } next)
        {
            verified = After(verified.State, next);
        }

        Keep(population, verified);
        return verified.State;
    }

    /// <summary>Whether there is any entry. A ledger whose first entry was taken away is still one.</summary>
    public async Task<bool> ExistsAsync(string population, CancellationToken cancellationToken)
    {
        if (_verified.ContainsKey(population) || await store.HeadAsync(StoreNames.LedgerEntry(population, 1), cancellationToken) is not null)
        {
            return true;
        }

        await foreach (var _ in store.ListAsync(StoreNames.Ledger(population), cancellationToken))
        {
            return true;
        }

        return false;
    }

    /// <summary>Whether an entry has these bytes: a put that says that something is there may have met its own first attempt.</summary>
    public async Task<bool> HoldsAsync(string population, long number, Digest digest, CancellationToken cancellationToken) =>
        (await FindAsync(population, number, cancellationToken))?.Digest == digest;

    /// <summary>Entries as they lie there.</summary>
    public async Task<IReadOnlyList<LedgerEntry>> EntriesAsync(string population, long after, long last, CancellationToken cancellationToken)
    {
        var entries = new List<LedgerEntry>();
        await foreach (var entry in WalkAsync(population, after, last, cancellationToken))
        {
            entries.Add(entry.Content);
        }

        return entries;
    }

    private async Task<Verified> ReadAllAsync(string population, CancellationToken cancellationToken)
    {
        var verified = new Verified(LedgerState.Empty(population), null);
        await foreach (var entry in WalkAsync(population, 0, await LastAsync(population, cancellationToken), cancellationToken))
        {
            verified = After(verified.State, entry);
        }

        return verified;
    }

    private async IAsyncEnumerable<Entry> WalkAsync(string population, long after, long last, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        for (var first = after + 1; first <= last; first += Listings.AtOnce)
        {
            var numbers = Enumerable.Range(0, (int)Math.Min(Listings.AtOnce, last - first + 1)).Select(i => first + i);
            var entries = await Task.WhenAll(numbers.Select(number => FindAsync(population, number, cancellationToken)));
            for (var i = 0; i < entries.Length; i++)
            {
                yield return entries[i] ?? throw new LedgerBrokenException(population, first + i, $"it is missing, and entry {last} is there");
            }
        }
    }

    // Entries may be written while the listing runs, and listed before an earlier one is: only the largest number counts.
    private async Task<long> LastAsync(string population, CancellationToken cancellationToken)
    {
        var (prefix, last) = (StoreNames.Ledger(population), 0L);
        await foreach (var found in store.ListAsync(prefix, cancellationToken))
        {
            if (!long.TryParse(found.Name.AsSpan(prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                || number < 1 || found.Name != StoreNames.LedgerEntry(population, number))
            {
                throw new LedgerBrokenException(population, last + 1, $"'{found.Name}' lies in the ledger and is no entry of it");
            }

            last = Math.Max(last, number);
        }

        return last;
    }

    private static Verified After(LedgerState state, Entry next) => new(state.After(next.Content, next.Digest), next.ETag);

    private async Task<Entry?> FindAsync(string population, long number, CancellationToken cancellationToken)
    {
        await using var content = await store.OpenAsync(StoreNames.LedgerEntry(population, number), 0, cancellationToken);
        if (content is null)
        {
            return null;
        }

        if (content.Facts.Length > MaxEntryBytes)
        {
            throw new LedgerBrokenException(population, number, $"it has {content.Facts.Length} bytes; an entry has at most {MaxEntryBytes}");
        }

        var bytes = new byte[content.Facts.Length];
        await content.Stream.ReadExactlyAsync(bytes, cancellationToken);
        try
        {
            var entry = JsonSerializer.Deserialize(bytes, LedgerJson.Default.LedgerEntry)
                ?? throw new LedgerBrokenException(population, number, "it holds null");
            return new Entry(entry, Digest.Of(bytes), content.Facts.ETag);
        }
        catch (JsonException exception)
        {
            throw new LedgerBrokenException(population, number, $"it cannot be read: {exception.Message}");
        }
    }

    // Two readers may race: what is further along stays.
    private void Keep(string population, Verified verified)
    {
        if (verified.State.Head > 0)
        {
            _verified.AddOrUpdate(population, verified, (_, kept) => kept.State.Head > verified.State.Head ? kept : verified);
        }
    }

    private sealed record Verified(LedgerState State, string? ETag);

    private sealed record Entry(LedgerEntry Content, Digest Digest, string ETag);
}
