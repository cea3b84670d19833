using System.Collections.Concurrent;
using FedServerless.Activities.State;
using FedServerless.Model;
using FedServerless.Storage;
using FedServerless.Wire;

namespace FedServerless.Activities.Models;

/// <summary>Reads models: pointer, manifests, headers. Never their values.</summary>
public sealed class ModelCatalog(IObjectStore store)
{
    /// <summary>Headers kept in memory; content-addressed, so never stale.</summary>
    private const int MaxCachedHeaders = 16;

    private readonly ConcurrentDictionary<Digest, SafetensorsHeader> _headers = new();

    internal IObjectStore Store => store;

    /// <summary>The name of the version that a round publishes.</summary>
    public static string VersionOf(string run, int round) => $"{run}-r{round}";

    /// <summary>The name of a first version: it follows from its content.</summary>
    public static string InitialVersionOf(Digest weights) => $"init-{weights.ToString()[..12]}";

    /// <summary>True for what can be a version's name: an identifier, or that of a run and a round's number, which may be longer.</summary>
    public static bool IsVersion(string? name)
    {
        var cut = name?.LastIndexOf("-r", StringComparison.Ordinal) ?? -1;
        return Identifiers.IsValid(name)
            || (cut > 0 && name!.Length - cut is > 2 and <= 8 && !name.AsSpan(cut + 2).ContainsAnyExceptInRange('0', '9') && Identifiers.IsValid(name[..cut]));
    }

    /// <summary>The manifest of the version that the model serves, or null when it has none.</summary>
    public async Task<Stored<ModelManifest>?> ServedAsync(string model, CancellationToken cancellationToken)
    {
        var pointer = await store.FindAsync(StoreNames.ModelPointer(model), StoreJson.Default.PointerDocument, cancellationToken);
        if (pointer is null)
        {
            return null;
        }

        var manifest = await ManifestAsync(model, pointer.Value.Version, cancellationToken);
        return manifest.Digest == pointer.Value.Manifest
            ? manifest
            : throw new InvalidDataException($"The manifest of '{model}' {pointer.Value.Version} is not the one its pointer names.");
    }

    /// <summary>A version's manifest.</summary>
    /// <exception cref="InvalidDataException">There is none.</exception>
    public Task<Stored<ModelManifest>> ManifestAsync(string model, string version, CancellationToken cancellationToken) =>
        store.GetAsync(StoreNames.Manifest(model, version), StoreJson.Default.ModelManifest, cancellationToken);

    /// <summary>
    /// True when something lies under a version's name that the run would publish. Versions outlive their run, and their names are
    /// create-once: another run under the same id would publish the old bytes as its own.
    /// </summary>
    public async Task<bool> HasVersionsOfAsync(string model, string run, CancellationToken cancellationToken)
    {
        var prefix = $"{StoreNames.Versions(model)}{run}-r";
        await foreach (var facts in store.ListAsync(prefix, cancellationToken))
        {
            // "run-r" also begins the versions of a run called "run-retry".
            var rest = facts.Name.AsSpan(prefix.Length);
            var end = rest.IndexOf('/');
            if (end > 0 && !rest[..end].ContainsAnyExceptInRange('0', '9'))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The tensor layout of an artifact.</summary>
    public async Task<TensorLayout> LayoutAsync(StoredArtifact artifact, CancellationToken cancellationToken) =>
        (await HeaderAsync(artifact, cancellationToken)).Layout;

    /// <summary>The safetensors header of an artifact.</summary>
    /// <exception cref="InvalidDataException">It is gone or not a model.</exception>
    public async Task<SafetensorsHeader> HeaderAsync(StoredArtifact artifact, CancellationToken cancellationToken)
    {
        if (_headers.TryGetValue(artifact.Digest, out var cached))
        {
            return cached;
        }

        var (header, problem) = await TryReadHeaderAsync(artifact.Object, artifact.Bytes, cancellationToken);
        if (header is null)
        {
            throw new InvalidDataException($"'{artifact.Object}' is not a model: {problem}");
        }

        if (_headers.Count >= MaxCachedHeaders)
        {
            _headers.Clear();
        }

        return _headers.GetOrAdd(artifact.Digest, header);
    }

    /// <summary>Reads the header of any object; the problem says why it is no model.</summary>
    public async Task<(SafetensorsHeader? Header, string? Problem)> TryReadHeaderAsync(string name, long length, CancellationToken cancellationToken)
    {
        var start = new byte[Math.Min(SafetensorsHeader.LengthBytes, length)];
        if (await store.ReadAsync(name, 0, start, cancellationToken) is null)
        {
            return (null, $"'{name}' does not exist.");
        }

        if (!SafetensorsHeader.TryReadLength(start, length, out var headerLength, out var problem))
        {
            return (null, problem);
        }

        var bytes = new byte[headerLength];
        await store.ReadAsync(name, 0, bytes, cancellationToken);
        return SafetensorsHeader.TryParse(bytes, length, out var header, out problem) ? (header, null) : (null, problem);
    }
}
