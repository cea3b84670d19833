using System.Collections;
using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;

namespace FedServerless.Compression;

/// <summary>Codecs by name and by id; immutable.</summary>
public sealed class UpdateCodecSet : IReadOnlyCollection<IUpdateCodec>
{
    private readonly IUpdateCodec[] _codecs;
    private readonly FrozenDictionary<string, IUpdateCodec> _byName;
    private readonly FrozenDictionary<byte, IUpdateCodec> _byId;

    /// <summary>Collects codecs.</summary>
    /// <exception cref="ArgumentException">Two codecs share a name or an id.</exception>
    public UpdateCodecSet(IEnumerable<IUpdateCodec> codecs)
    {
        ArgumentNullException.ThrowIfNull(codecs);
        _codecs = [.. codecs.OrderBy(codec => codec.Id)];
        foreach (var codec in _codecs)
        {
            if (_codecs.FirstOrDefault(other => other != codec && (other.Id == codec.Id || other.Name == codec.Name)) is { } other)
            {
                throw new ArgumentException(
                    $"Codecs '{codec.Name}' (id {codec.Id}) and '{other.Name}' (id {other.Id}) share a name or an id.", nameof(codecs));
            }
        }

        _byName = _codecs.ToFrozenDictionary(codec => codec.Name, StringComparer.Ordinal);
        _byId = _codecs.ToFrozenDictionary(codec => codec.Id);
    }

    /// <inheritdoc/>
    public int Count => _codecs.Length;

    /// <summary>The names, in order of id.</summary>
    public IReadOnlyList<string> Names => [.. _codecs.Select(codec => codec.Name)];

    /// <summary>The codec of this name.</summary>
    /// <exception cref="ArgumentException">There is none; the message lists the names there are.</exception>
    public IUpdateCodec Get(string name) => TryGet(name, out var codec)
        ? codec
        : throw new ArgumentException($"There is no codec '{name}'; expected one of {string.Join(", ", Names)}.", nameof(name));

    /// <summary>Finds a codec by its exact name.</summary>
    public bool TryGet(string name, [NotNullWhen(true)] out IUpdateCodec? codec) => _byName.TryGetValue(name, out codec);

    /// <summary>Finds a codec by its id in update headers.</summary>
    public bool TryGet(byte id, [NotNullWhen(true)] out IUpdateCodec? codec) => _byId.TryGetValue(id, out codec);

    /// <inheritdoc/>
    public IEnumerator<IUpdateCodec> GetEnumerator() => _codecs.AsEnumerable().GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
