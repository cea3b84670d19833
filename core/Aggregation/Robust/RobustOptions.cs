namespace FedServerless.Aggregation.Robust;

/// <summary>A rule with its numbers.</summary>
public sealed record RobustOptions
{
    /// <summary>One of <see cref="AggregationRules.Names"/>.</summary>
    public required string Rule { get; init; }

    /// <summary>f, clients that may lie, 0 or more. Default 0.</summary>
    public int Byzantine { get; init; }

    /// <summary>β, the share trimmed off each end by the trimmed mean, in [0, 0.5). Null: as many values as <see cref="Byzantine"/>.</summary>
    public double? Trim { get; init; }

    /// <summary>m, updates that Multi-Krum averages, 1 to n − f − 2; 0 for that bound. Default 0.</summary>
    public int Keep { get; init; }

    /// <summary>τ of centered clipping, above 0. Default 10.</summary>
    public double ClipRadius { get; init; } = 10;

    /// <summary>Steps of centered clipping, 1 to 1000. Default 1.</summary>
    public int ClipSteps { get; init; } = 1;

    /// <summary>C of norm bounding, above 0. Default 10.</summary>
    public double NormBound { get; init; } = 10;

    /// <summary>What is done before the rule: one of <see cref="AggregationRules.Mixings"/>. Default none.</summary>
    public string Mixing { get; init; } = AggregationRules.NoMixing;

    /// <summary>s, updates in a bucket, 1 or more. Default 2.</summary>
    public int BucketSize { get; init; } = 2;
}
