using System.Text.Json.Serialization.Metadata;
using FedServerless.Storage;

namespace FedServerless.Activities.State;

/// <summary>
/// The document that was read last, kept by its version: many activities of a large round read the same megabytes. Asking for the
/// version costs a request, as reading a small document does, but no bytes; a run made anew under its name has other versions.
/// </summary>
internal sealed class LastRead<T>(IObjectStore store, JsonTypeInfo<T> type)
    where T : class
{
    private Kept? _last;

    /// <summary>The document.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="isLarge">False to read it and keep nothing.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="InvalidDataException">There is none, or it is not what it should be.</exception>
    public async Task<Stored<T>> GetAsync(string name, bool isLarge, CancellationToken cancellationToken)
    {
        if (isLarge && _last is { } last && last.Name == name
            && (await store.HeadAsync(name, cancellationToken))?.ETag == last.Document.ETag)
        {
            return last.Document;
        }

        var read = await store.GetAsync(name, type, cancellationToken);
        _last = isLarge ? new Kept(name, read) : _last;
        return read;
    }

    private sealed record Kept(string Name, Stored<T> Document);
}
