using FedServerless.Aggregation.Robust;

namespace FedServerless.Cli.Laboratory;

/// <summary>Cells that the literature expects to fail, so that nobody takes them for a bug, nor their absence here for a proof.</summary>
internal static class KnownLimits
{
    private static readonly (string Attack, string[] Rules, string Why)[] All =
    [
        ("sign-flip", [AggregationRules.WeightedMean], "one liar moves a mean anywhere"),
        ("gaussian", [AggregationRules.WeightedMean], "one liar moves a mean anywhere"),
        ("ipm", [AggregationRules.WeightedMean], "the liars outweigh the honest direction"),
        ("alie", [AggregationRules.Krum, AggregationRules.MultiKrum, AggregationRules.WeightedMultiKrum, AggregationRules.Bulyan, AggregationRules.TrimmedMean, AggregationRules.Median],
            "the lie stays within the spread of honest updates, nearer to their middle than most of them"),
        ("fang", [AggregationRules.WeightedMean, AggregationRules.Krum, AggregationRules.Median, AggregationRules.TrimmedMean], "the lie is made for the rule"),
        ("min-max", [AggregationRules.WeightedMean, AggregationRules.Krum, AggregationRules.MultiKrum, AggregationRules.WeightedMultiKrum, AggregationRules.TrimmedMean],
            "the lie is no farther from an honest update than honest ones are from each other"),
        ("backdoor", [AggregationRules.WeightedMean], "scaled up, the liars' model replaces everybody's"),
    ];

    /// <summary>Why the cell is expected to fail, or null.</summary>
    public static string? Of(string rule, string attack) =>
        All.Where(limit => limit.Attack == attack && limit.Rules.Contains(rule)).Select(limit => limit.Why).FirstOrDefault();
}
