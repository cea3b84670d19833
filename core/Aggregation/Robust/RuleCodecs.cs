using FedServerless.Compression;

namespace FedServerless.Aggregation.Robust;

/// <summary>Which rule goes with which codec; checked when a run is created.</summary>
public static class RuleCodecs
{
    /// <summary>
    /// True when the rule can use what the codec leaves. Rules that compare clients need every coordinate of each; sums of updates, each
    /// shortened by itself or towards a centre, do not.
    /// </summary>
    /// <param name="rule">One of <see cref="AggregationRules.Names"/>.</param>
    /// <param name="codec">The codec.</param>
    /// <param name="mixing">One of <see cref="AggregationRules.Mixings"/>; nearest neighbours compare clients whatever the rule does.</param>
    public static bool Fits(string rule, IUpdateCodec codec, string mixing = AggregationRules.NoMixing)
    {
        ArgumentNullException.ThrowIfNull(codec);
        return codec.IsComparable || (mixing != AggregationRules.Neighbours && rule is AggregationRules.WeightedMean or AggregationRules.NormBounding or AggregationRules.CenteredClipping);
    }
}
