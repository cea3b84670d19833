using System.Text.Json.Serialization.Metadata;
using FedServerless.Storage;

namespace FedServerless.Activities.State;

/// <summary>
/// The large document that was read last, kept by its version: activities and requests of a large round ask for the same megabytes again
/// and again. Asking for the version costs a request, as reading a small document does, but no bytes; a run made anew under its name has
/// other versions.
/// </summary>
public sealed class LastRead<T>(IObjectStore store, JsonTypeInfo<T> type)
    where T : class
{
    private Kept? _last;

    /// <summary>The document, or null when there is none.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="isLarge">True for a document that is worth keeping.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="InvalidDataException">It is not what it should be.</exception>
    public async Task<Stored<T>?> FindAsync(string name, Func<T, bool> isLarge, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(isLarge);
        if (_last is { } last && last.Name == name && (await store.HeadAsync(name, cancellationToken))?.ETag == last.Document.ETag)
        {
            return last.Document;
        }

        var read = await store.FindAsync(name, type, cancellationToken);
        if (read is not null && isLarge(read.Value))
        {
            _last = new Kept(name, read);
        }

        return read;
    }

    private sealed record Kept(string Name, Stored<T> Document);
}
