using System.Collections.Concurrent;
using FedServerless.Storage;

namespace FedServerless.Testing.Storage;

/// <summary>Counts what is asked of a store.</summary>
public sealed class CountingStore(IObjectStore inner) : IObjectStore
{
    private readonly ConcurrentDictionary<string, int> _lists = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, int> _reads = new(StringComparer.Ordinal);
    private int _operations;

    /// <summary>Operations of any kind that reached the store; pre-signing is none.</summary>
    public int Operations => _operations;

    /// <summary>Listings of exactly this prefix.</summary>
    public int Lists(string prefix) => _lists.GetValueOrDefault(prefix);

    /// <summary>Reads of ranges of each object, by name.</summary>
    public IReadOnlyDictionary<string, int> Reads => _reads;

    public Task<ObjectFacts?> HeadAsync(string name, CancellationToken cancellationToken) => Counted().HeadAsync(name, cancellationToken);

    public Task<ObjectFacts?> ReadAsync(string name, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        _reads.AddOrUpdate(name, 1, (_, count) => count + 1);
        return Counted().ReadAsync(name, offset, destination, cancellationToken);
    }

    public Task<ObjectContent?> OpenAsync(string name, long offset, CancellationToken cancellationToken) =>
        Counted().OpenAsync(name, offset, cancellationToken);

    public Task<PutResult> PutAsync(string name, Stream content, long length, PutCondition condition, CancellationToken cancellationToken) =>
        Counted().PutAsync(name, content, length, condition, cancellationToken);

    public IAsyncEnumerable<ObjectFacts> ListAsync(string prefix, CancellationToken cancellationToken)
    {
        _lists.AddOrUpdate(prefix, 1, (_, count) => count + 1);
        return Counted().ListAsync(prefix, cancellationToken);
    }

    public Task<bool> DeleteAsync(string name, CancellationToken cancellationToken) => Counted().DeleteAsync(name, cancellationToken);

    public Task<PresignedRequest> PresignGetAsync(string name, TimeSpan validFor, CancellationToken cancellationToken) =>
        inner.PresignGetAsync(name, validFor, cancellationToken);

    public Task<PresignedRequest> PresignCreateAsync(string name, long length, TimeSpan validFor, CancellationToken cancellationToken) =>
        inner.PresignCreateAsync(name, length, validFor, cancellationToken);

    private IObjectStore Counted()
    {
        Interlocked.Increment(ref _operations);
        return inner;
    }
}
