using System.Collections.Concurrent;
using System.Security.Cryptography;
using FedServerless.Activities.State;
using FedServerless.Storage;
using FedServerless.Wire;

namespace FedServerless.Activities.Clients;

/// <summary>
/// Who was seen lately. Each host instance keeps one page per population in the store: refreshed at most once a minute, and at
/// once (gathering for a moment) when a client becomes newly present. Nothing runs in the background: the check-in that finds a
/// write due carries it out.
/// </summary>
public sealed class PresenceBook(IObjectStore store, TimeProvider time) : IPresence
{
    /// <summary>How long a client counts as present after a check-in.</summary>
    public static readonly TimeSpan Window = TimeSpan.FromMinutes(5);

    /// <summary>Longest time that a page of a host with traffic is behind.</summary>
    public static readonly TimeSpan RefreshEvery = TimeSpan.FromMinutes(1);

    /// <summary>How long newly present clients are gathered into one write.</summary>
    public static readonly TimeSpan GatherFor = TimeSpan.FromMilliseconds(50);

    /// <summary>Age at which whoever reads a page deletes it.</summary>
    public static readonly TimeSpan ForgetAfter = TimeSpan.FromDays(1);

    private readonly ConcurrentDictionary<string, Page> _pages = new(StringComparer.Ordinal);

    private readonly string _instance = RandomNumberGenerator.GetHexString(16, lowercase: true);

    /// <summary>
    /// Notes that a client was seen. When that made somebody newly present, it returns after the page is written, and true for
    /// exactly one of the callers of that write: the one who then wakes the runs that wait for clients.
    /// </summary>
    /// <param name="population">The population.</param>
    /// <param name="client">Who.</param>
    /// <param name="cancellationToken">Cancels the wait, not the write.</param>
    /// <param name="uplink">
    /// Bytes a second to the store, where the client has measured it; travels with the page's next write. What is out of
    /// <see cref="DeviceMeasurements.MinRate"/> to <see cref="DeviceMeasurements.MaxRate"/> counts as not measured.
    /// </param>
    public async Task<bool> NoteAsync(string population, string client, CancellationToken cancellationToken, double? uplink = null)
    {
        var page = _pages.GetOrAdd(population, static name => new Page(name));
        var now = time.GetUtcNow();
        Write? write;
        bool isNew;
        lock (page)
        {
            isNew = !page.Seen.TryGetValue(client, out var last) || now - last >= Window;
            page.Seen[client] = now;
            if (uplink is { } rate && IsBelievable(rate))
            {
                page.Uplinks[client] = rate;
            }

            if (!isNew && now - page.WrittenAt < RefreshEvery)
            {
                return false;
            }

            write = page.Pending;
            if (write is null)
            {
                write = page.Pending = new Write();
                write.Done = WriteAsync(page, isNew ? GatherFor : TimeSpan.Zero);
            }
        }

        await write.Done.WaitAsync(cancellationToken);
        return isNew && Interlocked.Exchange(ref write.WakeTaken, 1) == 0;
    }

    /// <summary>Clients of the population that this host saw within <see cref="Window"/>; costs no storage operation.</summary>
    public int CountHere(string population)
    {
        if (!_pages.TryGetValue(population, out var page))
        {
            return 0;
        }

        lock (page)
        {
            return page.Seen.Count;
        }
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<string>> SeenLatelyAsync(string population, CancellationToken cancellationToken)
    {
        var seen = await LastSeenAsync(population, cancellationToken);
        var since = time.GetUtcNow() - Window;
        var prefix = StoreNames.Members(population);
        var present = new List<string>();
        await foreach (var member in store.ListAsync(prefix, cancellationToken))
        {
            var client = member.Name[prefix.Length..];
            if (seen.TryGetValue(client, out var at) && at > since)
            {
                present.Add(client);
            }
        }

        present.Sort(StringComparer.Ordinal);
        return present;
    }

    /// <summary>When each client of the population was last seen by any host, to the minute, as far as pages remember.</summary>
    public async Task<IReadOnlyDictionary<string, DateTimeOffset>> LastSeenAsync(string population, CancellationToken cancellationToken)
    {
        var seen = new Dictionary<string, DateTimeOffset>(StringComparer.Ordinal);
        var names = new List<string>();
        await foreach (var facts in store.ListAsync(StoreNames.Presence(population), cancellationToken))
        {
            names.Add(facts.Name);
        }

        foreach (var name in names)
        {
            await ReadPageAsync(name, seen, cancellationToken);
        }

        if (_pages.TryGetValue(population, out var own))
        {
            lock (own)
            {
                foreach (var (client, at) in own.Seen)
                {
                    Later(seen, client, at);
                }
            }
        }

        return seen;
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyDictionary<string, double>> UplinksAsync(string population, CancellationToken cancellationToken)
    {
        var latest = new SortedDictionary<string, (DateTimeOffset At, double Rate)>(StringComparer.Ordinal);
        await foreach (var facts in store.ListAsync(StoreNames.Presence(population), cancellationToken))
        {
            var page = (await store.FindAsync(facts.Name, ClientJson.Default.PresencePage, cancellationToken))?.Value;
            foreach (var (client, rate) in page?.Uplinks ?? new Dictionary<string, double>())
            {
                if (page!.Clients.TryGetValue(client, out var seconds))
                {
                    Take(client, DateTimeOffset.FromUnixTimeSeconds(seconds), rate);
                }
            }
        }

        if (_pages.TryGetValue(population, out var own))
        {
            lock (own)
            {
                foreach (var (client, rate) in own.Uplinks)
                {
                    Take(client, own.Seen[client], rate);
                }
            }
        }

        var since = time.GetUtcNow() - Window;
        return new SortedDictionary<string, double>(
            latest.Where(entry => entry.Value.At > since).ToDictionary(entry => entry.Key, entry => entry.Value.Rate), StringComparer.Ordinal);

        // A client that changes hosts is on two pages: the host that saw it last knows best, and of two at the same second the slower rate stands, whatever order pages are listed in.
        void Take(string client, DateTimeOffset at, double rate)
        {
            if (IsBelievable(rate) && (!latest.TryGetValue(client, out var known) || at > known.At || (at == known.At && rate < known.Rate)))
            {
                latest[client] = (at, rate);
            }
        }
    }

    private static bool IsBelievable(double rate) => rate is >= DeviceMeasurements.MinRate and <= DeviceMeasurements.MaxRate;

    private async Task ReadPageAsync(string name, Dictionary<string, DateTimeOffset> seen, CancellationToken cancellationToken)
    {
        var page = await store.FindAsync(name, ClientJson.Default.PresencePage, cancellationToken);
        if (page is null)
        {
            return;
        }

        if (time.GetUtcNow() - page.Value.WrittenAt > ForgetAfter)
        {
            await store.DeleteAsync(name, cancellationToken);
            return;
        }

        foreach (var (client, seconds) in page.Value.Clients)
        {
            Later(seen, client, DateTimeOffset.FromUnixTimeSeconds(seconds));
        }
    }

    private static void Later(Dictionary<string, DateTimeOffset> seen, string client, DateTimeOffset at)
    {
        if (!seen.TryGetValue(client, out var known) || known < at)
        {
            seen[client] = at;
        }
    }

    // Runs apart from any one request: a device that hangs up does not take the others' write with it.
    private async Task WriteAsync(Page page, TimeSpan gather)
    {
        await Task.Yield();
        try
        {
            if (gather > TimeSpan.Zero)
            {
                await Task.Delay(gather, time, CancellationToken.None);
            }

            await page.OneWriter.WaitAsync(CancellationToken.None);
        }
        catch
        {
            lock (page)
            {
                page.Pending = null;
            }

            throw;
        }

        try
        {
            var document = page.Take(time.GetUtcNow());
            var name = StoreNames.Presence(page.Population) + _instance + ".json";
            await store.PutAsync(name, document, ClientJson.Default.PresencePage, PutCondition.Overwrite, CancellationToken.None);
            lock (page)
            {
                page.WrittenAt = document.WrittenAt;
            }
        }
        finally
        {
            page.OneWriter.Release();
        }
    }

    private sealed class Write
    {
        public int WakeTaken;

        public Task Done { get; set; } = Task.CompletedTask;
    }

    private sealed class Page(string population)
    {
        public string Population { get; } = population;

        public Dictionary<string, DateTimeOffset> Seen { get; } = new(StringComparer.Ordinal);

        public Dictionary<string, double> Uplinks { get; } = new(StringComparer.Ordinal);

        public DateTimeOffset WrittenAt { get; set; }

        public Write? Pending { get; set; }

        public SemaphoreSlim OneWriter { get; } = new(1, 1);

        /// <summary>The page as of now; who comes later belongs to the next write.</summary>
        public PresencePage Take(DateTimeOffset now)
        {
            lock (this)
            {
                Pending = null;
                foreach (var (client, at) in Seen)
                {
                    if (now - at >= Window)
                    {
                        Seen.Remove(client);
                        Uplinks.Remove(client);
                    }
                }

                var clients = new SortedDictionary<string, long>(StringComparer.Ordinal);
                foreach (var (client, at) in Seen)
                {
                    clients[client] = at.ToUnixTimeSeconds();
                }

                return new PresencePage(now, clients) { Uplinks = Uplinks.Count == 0 ? null : new SortedDictionary<string, double>(Uplinks, StringComparer.Ordinal) };
            }
        }
    }
}
