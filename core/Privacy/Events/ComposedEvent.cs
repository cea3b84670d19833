using System.Diagnostics.CodeAnalysis;

namespace FedServerless.Privacy;

/// <summary>Several events on the same data, one after the other. Equal to another of the same parts in the same order.</summary>
public sealed record ComposedEvent : PrivacyEvent
{
    /// <summary>Composes <paramref name="parts"/>.</summary>
    public ComposedEvent(IEnumerable<PrivacyEvent> parts)
    {
        ArgumentNullException.ThrowIfNull(parts);
        Parts = [.. parts];
        if (Parts.Contains(null!))
        {
            throw new ArgumentException("A part is null.", nameof(parts));
        }
    }

    /// <summary>The parts, in order.</summary>
    public IReadOnlyList<PrivacyEvent> Parts { get; }

    /// <inheritdoc/>
    public bool Equals([NotNullWhen(true)] ComposedEvent? other) => other is not null && Parts.SequenceEqual(other.Parts);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = default(HashCode);
        foreach (var part in Parts)
        {
            hash.Add(part);
        }

        return hash.ToHashCode();
    }

    internal override IEnumerable<(ReleaseEvent Release, long Count)> Releases(long times) => Parts.SelectMany(part => part.Releases(times));
}
