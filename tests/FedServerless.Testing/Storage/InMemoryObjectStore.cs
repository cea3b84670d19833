using System.Runtime.CompilerServices;
using FedServerless.Storage;
using FedServerless.Storage.Presigned;

namespace FedServerless.Testing.Storage;

/// <summary>
/// The object store in a dictionary: the same semantics as every backend, held to the same conformance suite. Fast enough for
/// crash tests that run a federation a thousand times. What it holds outlives any host that uses it, as a disk would.
/// </summary>
public sealed class InMemoryObjectStore(PresignedUrlSigner? signer = null, TimeProvider? time = null) : IObjectStore
{
    private readonly SortedDictionary<string, Entry> _objects = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();
    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private long _version;

    private sealed record Entry(byte[] Bytes, ObjectFacts Facts);

    /// <summary>The names of all objects in ordinal order.</summary>
    public IReadOnlyList<string> Names
    {
        get
        {
            lock (_gate)
            {
                return [.. _objects.Keys];
            }
        }
    }

    /// <summary>The bytes of an object, or null: for assertions.</summary>
    public byte[]? Peek(string name) => Find(name)?.Bytes.ToArray();

    public Task<ObjectFacts?> HeadAsync(string name, CancellationToken cancellationToken)
    {
        ObjectName.ThrowIfInvalid(name);
        cancellationToken.ThrowIfCancellationRequested();
        return Task.FromResult(Find(name)?.Facts);
    }

    public Task<ObjectFacts?> ReadAsync(string name, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        var found = Locate(name, offset, destination.Length, cancellationToken);
        found?.Bytes.AsSpan((int)offset, destination.Length).CopyTo(destination.Span);
        return Task.FromResult(found?.Facts);
    }

    public Task<ObjectContent?> OpenAsync(string name, long offset, CancellationToken cancellationToken)
    {
        var found = Locate(name, offset, 0, cancellationToken);
        return Task.FromResult(found is null
            ? null
            : new ObjectContent(found.Facts, new MemoryStream(found.Bytes, (int)offset, found.Bytes.Length - (int)offset, writable: false)));
    }

    public async Task<PutResult> PutAsync(string name, Stream content, long length, PutCondition condition, CancellationToken cancellationToken)
    {
        ObjectName.ThrowIfInvalid(name);
        ArgumentNullException.ThrowIfNull(content);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, Array.MaxLength);
        if (!Holds(condition, Find(name)))
        {
            return default;
        }

        var bytes = new byte[length];
        await new ContentReader(content, length).ReadAsync(bytes, cancellationToken);
        lock (_gate)
        {
            if (!Holds(condition, _objects.GetValueOrDefault(name)))
            {
                return default;
            }

            var facts = new ObjectFacts(name, length, $"\"{++_version:x}\"", _time.GetUtcNow());
            _objects[name] = new Entry(bytes, facts);
            return new PutResult(true, facts.ETag);
        }
    }

    public async IAsyncEnumerable<ObjectFacts> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ObjectName.ThrowIfInvalidPrefix(prefix);
        await Task.CompletedTask;
        ObjectFacts[] matches;
        lock (_gate)
        {
            matches = [.. _objects.Values.Select(e => e.Facts).Where(f => f.Name.StartsWith(prefix, StringComparison.Ordinal))];
        }

        foreach (var facts in matches)
        {
            cancellationToken.ThrowIfCancellationRequested();
            yield return facts;
        }
    }

    public Task<bool> DeleteAsync(string name, CancellationToken cancellationToken)
    {
        ObjectName.ThrowIfInvalid(name);
        cancellationToken.ThrowIfCancellationRequested();
        lock (_gate)
        {
            return Task.FromResult(_objects.Remove(name));
        }
    }

    public Task<PresignedRequest> PresignGetAsync(string name, TimeSpan validFor, CancellationToken cancellationToken) =>
        Task.FromResult(Signer.SignGet(name, validFor));

    public Task<PresignedRequest> PresignCreateAsync(string name, long length, TimeSpan validFor, CancellationToken cancellationToken) =>
        Task.FromResult(Signer.SignCreate(name, length, validFor));

    private PresignedUrlSigner Signer => signer ?? throw new InvalidOperationException("This store was given no signer.");

    private Entry? Find(string name)
    {
        lock (_gate)
        {
            return _objects.GetValueOrDefault(name);
        }
    }

    private Entry? Locate(string name, long offset, int count, CancellationToken cancellationToken)
    {
        ObjectName.ThrowIfInvalid(name);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        cancellationToken.ThrowIfCancellationRequested();
        var found = Find(name);
        return found is not null && offset > found.Bytes.Length - count
            ? throw new ObjectRangeException(name, found.Bytes.Length, offset + count)
            : found;
    }

    private static bool Holds(PutCondition condition, Entry? there) => condition.Kind switch
    {
        PutConditionKind.CreateOnce => there is null,
        PutConditionKind.IfMatch => there?.Facts.ETag is { } etag && etag == condition.ETag,
        _ => true,
    };
}
