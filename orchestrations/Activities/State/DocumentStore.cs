using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using FedServerless.Storage;
using FedServerless.Wire;

namespace FedServerless.Activities.State;

/// <summary>JSON documents over the object store.</summary>
public static class DocumentStore
{
    /// <summary>Largest document read, 256 MiB: a seal of a million receipts is some tens of megabytes.</summary>
    public const long MaxDocumentBytes = 256L << 20;

    /// <summary>The document, or null when there is none.</summary>
    /// <exception cref="InvalidDataException">It is too large or not what it should be.</exception>
    public static async Task<Stored<T>?> FindAsync<T>(
        this IObjectStore store, string name, JsonTypeInfo<T> type, CancellationToken cancellationToken)
        where T : class
    {
        var found = await store.FindBytesAsync(name, cancellationToken);
        if (found is not { } bytes)
        {
            return null;
        }

        try
        {
            var value = JsonSerializer.Deserialize(bytes.Content, type) ?? throw new InvalidDataException($"'{name}' holds null.");
            return new Stored<T>(value, bytes.Facts.ETag, Digest.Of(bytes.Content));
        }
        catch (JsonException exception)
        {
            throw new InvalidDataException($"'{name}' is not a {typeof(T).Name}: {exception.Message}", exception);
        }
    }

    /// <summary>The document.</summary>
    /// <exception cref="InvalidDataException">There is none, or it is not what it should be.</exception>
    public static async Task<Stored<T>> GetAsync<T>(
        this IObjectStore store, string name, JsonTypeInfo<T> type, CancellationToken cancellationToken)
        where T : class =>
        await store.FindAsync(name, type, cancellationToken) ?? throw new InvalidDataException($"'{name}' does not exist.");

    /// <summary>Writes a document once and returns what is stored there, ours or an earlier writer's: the winner's.</summary>
    public static async Task<Stored<T>> CreateOnceAsync<T>(
        this IObjectStore store, string name, T document, JsonTypeInfo<T> type, CancellationToken cancellationToken)
        where T : class
    {
        var bytes = JsonSerializer.SerializeToUtf8Bytes(document, type);
        var put = await store.PutBytesAsync(name, bytes, PutCondition.CreateOnce, cancellationToken);
        return put.Written
            ? new Stored<T>(document, put.ETag!, Digest.Of(bytes))
            : await store.GetAsync(name, type, cancellationToken);
    }

    /// <summary>Writes a document under a condition.</summary>
    public static Task<PutResult> PutAsync<T>(
        this IObjectStore store, string name, T document, JsonTypeInfo<T> type, PutCondition condition, CancellationToken cancellationToken) =>
        store.PutBytesAsync(name, JsonSerializer.SerializeToUtf8Bytes(document, type), condition, cancellationToken);

    /// <summary>Writes bytes under a condition.</summary>
    public static async Task<PutResult> PutBytesAsync(
        this IObjectStore store, string name, ReadOnlyMemory<byte> content, PutCondition condition, CancellationToken cancellationToken)
    {
        using var stream = MemoryMarshal.TryGetArray(content, out var array)
            ? new MemoryStream(array.Array!, array.Offset, array.Count, writable: false)
            : new MemoryStream(content.ToArray(), writable: false);
        return await store.PutAsync(name, stream, content.Length, condition, cancellationToken);
    }

    /// <summary>An object's bytes, or null when there is none.</summary>
    /// <exception cref="InvalidDataException">It is larger than <see cref="MaxDocumentBytes"/>.</exception>
    public static async Task<(byte[] Content, ObjectFacts Facts)?> FindBytesAsync(
        this IObjectStore store, string name, CancellationToken cancellationToken)
    {
        await using var content = await store.OpenAsync(name, 0, cancellationToken);
        if (content is null)
        {
            return null;
        }

        if (content.Facts.Length > MaxDocumentBytes)
        {
            throw new InvalidDataException($"'{name}' has {content.Facts.Length} bytes; a document has at most {MaxDocumentBytes}.");
        }

        var bytes = new byte[content.Facts.Length];
        await content.Stream.ReadExactlyAsync(bytes, cancellationToken);
        return (bytes, content.Facts);
    }
}

/// <summary>A document as it lies in the store.</summary>
/// <param name="Value">The document.</param>
/// <param name="ETag">Its version, for compare-and-swap.</param>
/// <param name="Digest">SHA-256 of its bytes.</param>
public sealed record Stored<T>(T Value, string ETag, Digest Digest);
