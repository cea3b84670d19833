using FedServerless.Aggregation.Robust;

namespace FedServerless.Wire;

/// <summary>What an <see cref="AggregationSpec"/> stands for.</summary>
public static class AggregationSpecExtensions
{
    /// <summary>The rule that decides about a round's updates; null for the weighted mean, which decides nothing.</summary>
    /// <exception cref="ArgumentException">The spec is not legal.</exception>
    public static RobustRule? ToRule(this AggregationSpec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        return spec.Rule == AggregationRules.WeightedMean ? null : new RobustRule(new RobustOptions
        {
            Rule = spec.Rule,
            Byzantine = spec.Byzantine,
            Trim = spec.Trim,
            Keep = spec.Keep ?? 0,
            ClipRadius = spec.ClipRadius ?? 1,
            ClipSteps = spec.ClipSteps ?? 1,
            NormBound = spec.NormBound ?? 1,

            // A plan stored before there was mixing has none.
            Mixing = spec.Mixing ?? AggregationRules.NoMixing,
            BucketSize = spec.BucketSize ?? 2,
        });
    }

    /// <summary>True when the last pass over the coordinates is a weighted sum over clients.</summary>
    public static bool IsSum(this AggregationSpec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        return spec.Rule is not (AggregationRules.Median or AggregationRules.TrimmedMean or AggregationRules.Bulyan);
    }

    /// <summary>True when some pass needs the same coordinates of all clients at once.</summary>
    public static bool NeedsAllTogether(this AggregationSpec spec) => !spec.IsSum() || spec.ToRule() is { NeedsGram: true };
}
