using FedServerless.Compression;

namespace FedServerless.Aggregation.Robust;

/// <summary>Which rule goes with which codec; checked when a run is created. docs/concepts/compression.md has the table.</summary>
public static class RuleCodecs
{
    /// <summary>True when the rule can use what the codec leaves.</summary>
    /// <param name="rule">One of <see cref="AggregationRules.Names"/>.</param>
    /// <param name="codec">The codec.</param>
    /// <param name="mixing">One of <see cref="AggregationRules.Mixings"/>; nearest neighbours compare clients whatever the rule does.</param>
    public static bool Fits(string rule, IUpdateCodec codec, string mixing = AggregationRules.NoMixing) => Refuse(rule, codec, mixing) is null;

    /// <summary>
    /// Why the rule cannot use what the codec leaves, or null. Rules that compare clients need the same coordinates of each; sums of
    /// updates, each shortened by itself or towards a centre, do not. Rules that pick a middle value of each coordinate need clients whose
    /// values there lie near each other, which those of a coarse codec do not.
    /// </summary>
    /// <param name="rule">One of <see cref="AggregationRules.Names"/>.</param>
    /// <param name="codec">The codec.</param>
    /// <param name="mixing">One of <see cref="AggregationRules.Mixings"/>.</param>
    public static string? Refuse(string rule, IUpdateCodec codec, string mixing = AggregationRules.NoMixing)
    {
        ArgumentNullException.ThrowIfNull(codec);
        if (!codec.IsComparable && mixing == AggregationRules.Neighbours)
        {
            return $"'{codec.Name}' sends other coordinates of each client, and aggregation.mixing '{mixing}' compares clients";
        }

        if (!codec.IsComparable && !Sums(rule))
        {
            return $"'{codec.Name}' sends other coordinates of each client, and aggregation.rule '{rule}' compares clients coordinate by coordinate";
        }

        return codec.Name == UpdateCodecs.Ternary && TakesMiddles(rule)
            ? $"'{codec.Name}' makes most values zero at random, so the middle value that aggregation.rule '{rule}' takes of a coordinate would be zero nearly everywhere"
            : null;
    }

    private static bool Sums(string rule) => rule is AggregationRules.WeightedMean or AggregationRules.NormBounding or AggregationRules.CenteredClipping;

    private static bool TakesMiddles(string rule) => rule is AggregationRules.Median or AggregationRules.TrimmedMean or AggregationRules.Bulyan;
}
