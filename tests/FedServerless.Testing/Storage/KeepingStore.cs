using System.Collections.Concurrent;
using FedServerless.Storage;

namespace FedServerless.Testing.Storage;

/// <summary>Keeps everything that was ever written under each name, in order, whatever is overwritten or deleted later: what a reader of the storage could have seen.</summary>
public sealed class KeepingStore(IObjectStore inner) : IObjectStore
{
    private readonly ConcurrentDictionary<string, ConcurrentQueue<byte[]>> _written = new(StringComparer.Ordinal);

    /// <summary>Every content that a name ever had.</summary>
    public IReadOnlyList<byte[]> Versions(string name) => _written.TryGetValue(name, out var all) ? [.. all] : [];

    /// <summary>Every name ever written.</summary>
    public IReadOnlyList<string> Names => [.. _written.Keys.Order(StringComparer.Ordinal)];

    public Task<ObjectFacts?> HeadAsync(string name, CancellationToken cancellationToken) => inner.HeadAsync(name, cancellationToken);

    public Task<ObjectFacts?> ReadAsync(string name, long offset, Memory<byte> destination, CancellationToken cancellationToken) =>
        inner.ReadAsync(name, offset, destination, cancellationToken);

    public Task<ObjectContent?> OpenAsync(string name, long offset, CancellationToken cancellationToken) => inner.OpenAsync(name, offset, cancellationToken);

    public async Task<PutResult> PutAsync(string name, Stream content, long length, PutCondition condition, CancellationToken cancellationToken)
    {
        using var copy = new MemoryStream();
        await content.CopyToAsync(copy, cancellationToken);
        copy.Position = 0;
        var put = await inner.PutAsync(name, copy, length, condition, cancellationToken);
        if (put.Written)
        {
            _written.GetOrAdd(name, _ => new ConcurrentQueue<byte[]>()).Enqueue(copy.ToArray());
        }

        return put;
    }

    public IAsyncEnumerable<ObjectFacts> ListAsync(string prefix, CancellationToken cancellationToken) => inner.ListAsync(prefix, cancellationToken);

    public Task<bool> DeleteAsync(string name, CancellationToken cancellationToken) => inner.DeleteAsync(name, cancellationToken);

    public Task<PresignedRequest> PresignGetAsync(string name, TimeSpan validFor, CancellationToken cancellationToken) =>
        inner.PresignGetAsync(name, validFor, cancellationToken);

    public Task<PresignedRequest> PresignCreateAsync(string name, long length, TimeSpan validFor, CancellationToken cancellationToken) =>
        inner.PresignCreateAsync(name, length, validFor, cancellationToken);
}
