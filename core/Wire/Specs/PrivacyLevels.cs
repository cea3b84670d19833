using System.Collections.Frozen;

namespace FedServerless.Wire;

/// <summary>
/// Named levels of <see cref="PrivacySpec.Level"/>. A level fixes ε of the whole run against holders of released models, at δ = 1/(10N), with adaptive clipping
/// (quantile 0.5, rate 0.2) and the least noise that keeps the promise for the run's rounds and sampling.
/// </summary>
public static class PrivacyLevels
{
    /// <summary>ε = 1.</summary>
    public const string Strict = "strict";

    /// <summary>ε = 3.</summary>
    public const string Balanced = "balanced";

    /// <summary>ε = 8.</summary>
    public const string Light = "light";

    private static readonly FrozenDictionary<string, double> Epsilons = new Dictionary<string, double>
    {
        [Strict] = 1,
        [Balanced] = 3,
        [Light] = 8,
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>Every name, strictest first.</summary>
    public static IReadOnlyList<string> Names { get; } = [Strict, Balanced, Light];

    /// <summary>The ε of a level.</summary>
    /// <exception cref="ArgumentException">No such level.</exception>
    public static double EpsilonOf(string level) =>
        Epsilons.TryGetValue(level, out var epsilon) ? epsilon : throw new ArgumentException($"No level '{level}'; expected one of {string.Join(", ", Names)}.", nameof(level));
}
