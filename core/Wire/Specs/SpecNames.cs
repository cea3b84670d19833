namespace FedServerless.Wire;

/// <summary>Who takes part in a round: values of <see cref="SelectionSpec.Kind"/>.</summary>
public static class Selections
{
    /// <summary>Every client seen lately.</summary>
    public const string All = "all";

    /// <summary>A fixed number of those, uniformly without replacement.</summary>
    public const string Uniform = "uniform";

    /// <summary>Each enrolled client independently with one probability.</summary>
    public const string Poisson = "poisson";

    /// <summary>Every name.</summary>
    public static IReadOnlyList<string> Names { get; } = [All, Poisson, Uniform];
}

/// <summary>What an update weighs: values of <see cref="AggregationSpec.Weighting"/>.</summary>
public static class Weightings
{
    /// <summary>min(samples, <see cref="AggregationSpec.MaxSamples"/>).</summary>
    public const string Samples = "samples";

    /// <summary>1.</summary>
    public const string Uniform = "uniform";

    /// <summary>Every name.</summary>
    public static IReadOnlyList<string> Names { get; } = [Samples, Uniform];
}
