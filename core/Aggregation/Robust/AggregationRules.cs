namespace FedServerless.Aggregation.Robust;

/// <summary>Names of the aggregation rules in specs.</summary>
public static class AggregationRules
{
    /// <summary>The weighted mean: one liar moves it anywhere. The default.</summary>
    public const string WeightedMean = Aggregators.WeightedMean;

    /// <summary>Coordinate median: Yin et al. 2018, arXiv:1803.01498.</summary>
    public const string Median = "median";

    /// <summary>Coordinate-wise trimmed mean: the same paper.</summary>
    public const string TrimmedMean = "trimmed-mean";

    /// <summary>Krum, one client's update: Blanchard et al. 2017, arXiv:1703.02757.</summary>
    public const string Krum = "krum";

    /// <summary>Multi-Krum, the plain mean of several: the same paper.</summary>
    public const string MultiKrum = "multi-krum";

    /// <summary>Multi-Krum with a mean weighted by samples: not the paper's.</summary>
    public const string WeightedMultiKrum = "multi-krum-weighted";

    /// <summary>Bulyan over Krum: El Mhamdi et al. 2018, arXiv:1802.07927.</summary>
    public const string Bulyan = "bulyan";

    /// <summary>Geometric median, RFA: Pillutla et al. 2022, arXiv:1912.13445.</summary>
    public const string GeometricMedian = "geometric-median";

    /// <summary>Centered clipping: Karimireddy et al. 2021, arXiv:2012.10333.</summary>
    public const string CenteredClipping = "centered-clipping";

    /// <summary>Norm bounding: Sun et al. 2019, arXiv:1911.07963.</summary>
    public const string NormBounding = "norm-bounding";

    /// <summary>FLTrust: Cao et al. 2021, arXiv:2012.13995.</summary>
    public const string FlTrust = "fltrust";

    /// <summary>Every rule, in the order of this page.</summary>
    public static IReadOnlyList<string> Names { get; } =
        [WeightedMean, Median, TrimmedMean, Krum, MultiKrum, WeightedMultiKrum, Bulyan, GeometricMedian, CenteredClipping, NormBounding, FlTrust];

    /// <summary>Nothing is done before the rule. The default.</summary>
    public const string NoMixing = "none";

    /// <summary>Bucketing: Karimireddy et al. 2022, arXiv:2006.09365.</summary>
    public const string Buckets = "buckets";

    /// <summary>Nearest-neighbour mixing: Allouah et al. 2023, arXiv:2302.01772.</summary>
    public const string Neighbours = "neighbours";

    /// <summary>Every pre-step.</summary>
    public static IReadOnlyList<string> Mixings { get; } = [NoMixing, Buckets, Neighbours];
}
