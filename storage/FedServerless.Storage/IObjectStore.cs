namespace FedServerless.Storage;

/// <summary>
/// Named immutable-by-default objects. Names are <c>/</c>-separated segments of letters, digits, <c>. _ -</c> and <c>~</c>;
/// see <see cref="ObjectName"/>. A put that returned is durable and visible to every later call; a put that did not return
/// is either wholly there or not at all, never half. One conformance suite holds every backend to this page.
/// </summary>
public interface IObjectStore
{
    /// <summary>Facts about an object, or null when there is none.</summary>
    Task<ObjectFacts?> HeadAsync(string name, CancellationToken cancellationToken);

    /// <summary>
    /// Reads exactly <paramref name="destination"/>.Length bytes from <paramref name="offset"/> into the caller's buffer.
    /// </summary>
    /// <returns>The object's facts, or null when there is none.</returns>
    /// <exception cref="ObjectRangeException">The object is shorter than the range asked for.</exception>
    Task<ObjectFacts?> ReadAsync(string name, long offset, Memory<byte> destination, CancellationToken cancellationToken);

    /// <summary>Opens an object for streaming from <paramref name="offset"/> to its end; null when there is none. The caller disposes it.</summary>
    Task<ObjectContent?> OpenAsync(string name, long offset, CancellationToken cancellationToken);

    /// <summary>
    /// Writes an object from a stream of known length under a condition, in constant memory.
    /// </summary>
    /// <returns>Whether it was written; on false nothing changed, the condition did not hold.</returns>
    /// <exception cref="StoreFullException">The disk or quota is exhausted; nothing was written.</exception>
    Task<PutResult> PutAsync(string name, Stream content, long length, PutCondition condition, CancellationToken cancellationToken);

    /// <summary>Every object whose name starts with <paramref name="prefix"/>, in ordinal order of name.</summary>
    IAsyncEnumerable<ObjectFacts> ListAsync(string prefix, CancellationToken cancellationToken);

    /// <summary>Deletes an object; true when it was there. Deleting what is absent is no error.</summary>
    Task<bool> DeleteAsync(string name, CancellationToken cancellationToken);

    /// <summary>A URL that reads this one object, ranges included, until it expires.</summary>
    Task<PresignedRequest> PresignGetAsync(string name, TimeSpan validFor, CancellationToken cancellationToken);

    /// <summary>
    /// A URL that creates this one object, once, until it expires; it can neither read nor overwrite. Where the backend can,
    /// any other length than <paramref name="length"/> is refused (Azure cannot: readers check the length).
    /// </summary>
    Task<PresignedRequest> PresignCreateAsync(string name, long length, TimeSpan validFor, CancellationToken cancellationToken);
}

/// <summary>Facts about a stored object.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Length">Bytes.</param>
/// <param name="ETag">Opaque; changes with every write.</param>
/// <param name="LastModified">When it was written, by the backend's clock. For people and sweepers, never for decisions.</param>
public sealed record ObjectFacts(string Name, long Length, string ETag, DateTimeOffset LastModified);

/// <summary>An object being read.</summary>
/// <param name="Facts">Facts about the whole object.</param>
/// <param name="Stream">The bytes from the asked offset to the end.</param>
public sealed record ObjectContent(ObjectFacts Facts, Stream Stream) : IAsyncDisposable
{
    /// <inheritdoc/>
    public ValueTask DisposeAsync() => Stream.DisposeAsync();
}

/// <summary>When a put may write.</summary>
/// <param name="Kind">Which condition.</param>
/// <param name="ETag">The ETag for <see cref="PutConditionKind.IfMatch"/>, else null.</param>
public readonly record struct PutCondition(PutConditionKind Kind, string? ETag)
{
    /// <summary>Write only if no object of that name exists: the first writer wins, for ever.</summary>
    public static PutCondition CreateOnce => new(PutConditionKind.CreateOnce, null);

    /// <summary>Write whatever is there. Only for objects whose loss costs nothing (presence, caches).</summary>
    public static PutCondition Overwrite => new(PutConditionKind.Overwrite, null);

    /// <summary>Compare and swap: write only over this very version.</summary>
    public static PutCondition IfMatch(string etag) => new(PutConditionKind.IfMatch, etag);
}

/// <summary>The kinds of <see cref="PutCondition"/>.</summary>
public enum PutConditionKind
{
    /// <summary>Only if absent. The default, so that a forgotten condition never overwrites.</summary>
    CreateOnce = 0,

    /// <summary>Only over one version.</summary>
    IfMatch,

    /// <summary>Always.</summary>
    Overwrite,
}

/// <summary>What a put did.</summary>
/// <param name="Written">False when the condition did not hold.</param>
/// <param name="ETag">The new version's tag when written, else null.</param>
public readonly record struct PutResult(bool Written, string? ETag);

/// <summary>A request anyone may send, once or until it expires, without further credentials.</summary>
/// <param name="Method">GET or PUT.</param>
/// <param name="Url">Absolute, or relative to the API's own origin for a store that the host itself serves.</param>
/// <param name="Headers">Headers the sender must add.</param>
public sealed record PresignedRequest(string Method, string Url, IReadOnlyDictionary<string, string> Headers);

/// <summary>A range was asked for that the object does not have.</summary>
public sealed class ObjectRangeException(string name, long length, long end)
    : IOException($"Object '{name}' has {length} bytes; byte {end} was asked for.")
{
    /// <summary>The object.</summary>
    public string Name { get; } = name;
}

/// <summary>The store has no room left. Nothing was written; the caller may try again once there is room.</summary>
public sealed class StoreFullException(string name, Exception inner) : IOException($"No room left to write '{name}'.", inner)
{
    /// <summary>The object that could not be written.</summary>
    public string Name { get; } = name;
}
