using FedServerless.Storage;

namespace FedServerless.Orchestrations.Tests.Rounds;

/// <summary>A store as a copy sees it that looked before something was written.</summary>
internal sealed class BlindStore(IObjectStore inner, Func<string, bool> isNotSeen) : IObjectStore
{
    public Task<ObjectFacts?> HeadAsync(string name, CancellationToken cancellationToken) => inner.HeadAsync(name, cancellationToken);

    public Task<ObjectFacts?> ReadAsync(string name, long offset, Memory<byte> destination, CancellationToken cancellationToken) =>
        isNotSeen(name) ? Task.FromResult<ObjectFacts?>(null) : inner.ReadAsync(name, offset, destination, cancellationToken);

    public Task<ObjectContent?> OpenAsync(string name, long offset, CancellationToken cancellationToken) =>
        isNotSeen(name) ? Task.FromResult<ObjectContent?>(null) : inner.OpenAsync(name, offset, cancellationToken);

    public Task<PutResult> PutAsync(string name, Stream content, long length, PutCondition condition, CancellationToken cancellationToken) =>
        inner.PutAsync(name, content, length, condition, cancellationToken);

    public IAsyncEnumerable<ObjectFacts> ListAsync(string prefix, CancellationToken cancellationToken) => inner.ListAsync(prefix, cancellationToken);

    public Task<bool> DeleteAsync(string name, CancellationToken cancellationToken) => inner.DeleteAsync(name, cancellationToken);

    public Task<PresignedRequest> PresignGetAsync(string name, TimeSpan validFor, CancellationToken cancellationToken) =>
        inner.PresignGetAsync(name, validFor, cancellationToken);

    public Task<PresignedRequest> PresignCreateAsync(string name, long length, TimeSpan validFor, CancellationToken cancellationToken) =>
        inner.PresignCreateAsync(name, length, validFor, cancellationToken);
}
