using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;

namespace FedServerless.Aggregation;

/// <summary>The built-in aggregation rules by name.</summary>
public static class Aggregators
{
    /// <summary>The weighted arithmetic mean, coordinate by coordinate: <c>Σ wᵢ·xᵢ / Σ wᵢ</c>. The default.</summary>
    public const string WeightedMean = "weighted-mean";

    private static readonly FrozenDictionary<string, IAggregator> ByName = new IAggregator[]
    {
        new WeightedMeanAggregator(),
    }.ToFrozenDictionary(aggregator => aggregator.Name, StringComparer.Ordinal);

    /// <summary>Every name, in ordinal order.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. ByName.Keys.Order(StringComparer.Ordinal)];

    /// <summary>The rule of that name; false for a name that is not in <see cref="Names"/>.</summary>
    public static bool TryFind(string? name, [NotNullWhen(true)] out IAggregator? aggregator)
    {
        aggregator = null;
        return name is not null && ByName.TryGetValue(name, out aggregator);
    }

    /// <summary>The rule of that name.</summary>
    /// <exception cref="ArgumentException">No rule has that name; the message lists those that exist.</exception>
    public static IAggregator Find(string name) => TryFind(name, out var aggregator)
        ? aggregator
        : throw new ArgumentException($"No aggregation rule is named '{name}'; there are: {string.Join(", ", Names)}.", nameof(name));
}
