using System.Collections.Concurrent;
using FedServerless.Activities.State;
using FedServerless.Storage;

namespace FedServerless.Activities.Clients;

/// <summary>The enrolled clients: one document each, changed by compare-and-swap only.</summary>
public sealed class ClientRegistry(IObjectStore store, TimeProvider time)
{
    /// <summary>How long a host may go on with a client's document before it reads it again.</summary>
    public static readonly TimeSpan CacheFor = TimeSpan.FromSeconds(30);

    /// <summary>Most documents a host remembers; past it, it forgets them all.</summary>
    public const int MaxCached = 100_000;

    private readonly ConcurrentDictionary<string, Remembered> _cache = new(StringComparer.Ordinal);

    /// <summary>The client as stored now, or null.</summary>
    public async Task<ClientDocument?> FindAsync(string client, CancellationToken cancellationToken)
    {
        var stored = await store.FindAsync(StoreNames.Client(client), ClientJson.Default.ClientDocument, cancellationToken);
        if (stored is null)
        {
            _cache.TryRemove(client, out _);
            return null;
        }

        return Remember(stored.Value).Document;
    }

    /// <summary>
    /// The client and its key as this host knows them, at most <see cref="CacheFor"/> old, or null. Unknown clients are not
    /// remembered, so that a device that enrolled through another host is known at once.
    /// </summary>
    public async Task<KnownClient?> FindKnownAsync(string client, CancellationToken cancellationToken)
    {
        if (_cache.TryGetValue(client, out var remembered) && time.GetUtcNow() - remembered.ReadAt < CacheFor)
        {
            return new KnownClient(remembered.Document, remembered.Key, FromMemory: true);
        }

        return await FindAsync(client, cancellationToken) is null || !_cache.TryGetValue(client, out remembered)
            ? null
            : new KnownClient(remembered.Document, remembered.Key, FromMemory: false);
    }

    /// <summary>Every client of a population, or of all, in the order of their ids.</summary>
    public async Task<IReadOnlyList<ClientDocument>> ListAsync(string? population, CancellationToken cancellationToken)
    {
        var clients = new List<ClientDocument>();
        await foreach (var facts in store.ListAsync(StoreNames.Clients, cancellationToken))
        {
            var stored = await store.FindAsync(facts.Name, ClientJson.Default.ClientDocument, cancellationToken);
            if (stored is not null && (population is null || stored.Value.Population == population))
            {
                clients.Add(stored.Value);
            }
        }

        return [.. clients.OrderBy(client => client.Client, StringComparer.Ordinal)];
    }

    /// <summary>
    /// Revokes a client: its requests are refused, it is no member of its population, and no code given out before enrols it again.
    /// Revoking twice is revoking once.
    /// </summary>
    /// <returns>The client as it is now, or null for an unknown one.</returns>
    public async Task<ClientDocument?> RevokeAsync(string client, CancellationToken cancellationToken)
    {
        while (true)
        {
            var stored = await store.FindAsync(StoreNames.Client(client), ClientJson.Default.ClientDocument, cancellationToken);
            if (stored is null)
            {
                return null;
            }

            var revoked = stored.Value;
            if (revoked.State != ClientStates.Revoked)
            {
                revoked = revoked with { State = ClientStates.Revoked, Reason = null, Generation = revoked.Generation + 1 };
                if (!await SwapAsync(revoked, stored.ETag, cancellationToken))
                {
                    continue;
                }
            }

            await store.DeleteAsync(StoreNames.Member(revoked.Population, client), cancellationToken);
            return Remember(revoked).Document;
        }
    }

    /// <summary>Takes an enrolled client out of every selection, with a reason; whoever is not enrolled stays as it is.</summary>
    /// <returns>The client as it is now, or null for an unknown one.</returns>
    public async Task<ClientDocument?> QuarantineAsync(string client, string reason, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(reason);
        var now = await MoveAsync(client, ClientStates.Enrolled, ClientStates.Quarantined, reason, cancellationToken);
        if (now is { State: ClientStates.Quarantined })
        {
            await store.DeleteAsync(StoreNames.Member(now.Population, client), cancellationToken);

            // A release may have come between the document and the marker, and what it put there is gone now.
            if (await FindAsync(client, cancellationToken) is { State: ClientStates.Enrolled } released)
            {
                await EnsureMemberAsync(released, cancellationToken);
            }
        }

        return now;
    }

    /// <summary>Ends a quarantine; whoever is in none stays as it is.</summary>
    /// <returns>The client as it is now, or null for an unknown one.</returns>
    public async Task<ClientDocument?> ReleaseAsync(string client, CancellationToken cancellationToken)
    {
        var now = await MoveAsync(client, ClientStates.Quarantined, ClientStates.Enrolled, null, cancellationToken);
        if (now is { State: ClientStates.Enrolled })
        {
            await EnsureMemberAsync(now, cancellationToken);
        }

        return now;
    }

    private async Task<ClientDocument?> MoveAsync(string client, string from, string to, string? reason, CancellationToken cancellationToken)
    {
        while (true)
        {
            var stored = await store.FindAsync(StoreNames.Client(client), ClientJson.Default.ClientDocument, cancellationToken);
            if (stored?.Value.State != from)
            {
                return stored is null ? null : Remember(stored.Value).Document;
            }

            var moved = stored.Value with { State = to, Reason = reason };
            if (await SwapAsync(moved, stored.ETag, cancellationToken))
            {
                return Remember(moved).Document;
            }
        }
    }

    /// <summary>Writes the next generation of a client and makes it a member; a lost race is reported, not retried.</summary>
    internal async Task<bool> WriteAsync(ClientDocument client, Stored<ClientDocument>? current, CancellationToken cancellationToken)
    {
        if (current?.Value != client && !await SwapAsync(client, current?.ETag, cancellationToken))
        {
            return false;
        }

        if (current is not null && current.Value.Population != client.Population)
        {
            await store.DeleteAsync(StoreNames.Member(current.Value.Population, client.Client), cancellationToken);
        }

        await EnsureMemberAsync(client, cancellationToken);
        return true;
    }

    private async Task EnsureMemberAsync(ClientDocument client, CancellationToken cancellationToken)
    {
        var member = StoreNames.Member(client.Population, client.Client);
        await store.PutBytesAsync(member, ReadOnlyMemory<byte>.Empty, PutCondition.CreateOnce, cancellationToken);

        // A revocation may have come between the document and the marker: whoever is second takes the marker away.
        var now = await FindAsync(client.Client, cancellationToken);
        if (now is null || now.State != ClientStates.Enrolled || now.Population != client.Population)
        {
            await store.DeleteAsync(member, cancellationToken);
        }
    }

    private async Task<bool> SwapAsync(ClientDocument client, string? etag, CancellationToken cancellationToken)
    {
        var condition = etag is null ? PutCondition.CreateOnce : PutCondition.IfMatch(etag);
        var put = await store.PutAsync(StoreNames.Client(client.Client), client, ClientJson.Default.ClientDocument, condition, cancellationToken);
        return put.Written;
    }

    private Remembered Remember(ClientDocument document)
    {
        if (_cache.Count >= MaxCached)
        {
            _cache.Clear();
        }

        var key = DeviceKey.TryCreate(document.X, document.Y)
            ?? throw new InvalidDataException($"'{StoreNames.Client(document.Client)}' does not hold a P-256 key.");
        var remembered = new Remembered(document, key, time.GetUtcNow());
        _cache[document.Client] = remembered;
        return remembered;
    }

    private sealed record Remembered(ClientDocument Document, DeviceKey Key, DateTimeOffset ReadAt);
}

/// <summary>A client as a host knows it.</summary>
/// <param name="Document">The client.</param>
/// <param name="Key">Its key, ready to verify with.</param>
/// <param name="FromMemory">True when it was remembered, so that reading again might tell something newer.</param>
public sealed record KnownClient(ClientDocument Document, DeviceKey Key, bool FromMemory);
