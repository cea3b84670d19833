namespace FedServerless.Aggregation.Robust;

/// <summary>What the last pass over the coordinates computes.</summary>
public enum ColumnPassKind
{
    /// <summary><c>Σ wᵢ·xᵢ</c> over the clients and the extra rows.</summary>
    WeightedSum = 0,

    /// <summary>The coordinate median.</summary>
    Median,

    /// <summary>The mean without the largest and smallest values.</summary>
    TrimmedMean,

    /// <summary>The mean of the values nearest the median.</summary>
    MeanAroundMedian,
}

/// <summary>What a rule decided about a round's updates: the last pass over the coordinates, or why there is none.</summary>
public sealed record ColumnPass
{
    /// <summary>Why there is no aggregate, for people; null when there is one.</summary>
    public string? Refusal { get; init; }

    /// <summary>What is computed.</summary>
    public ColumnPassKind Kind { get; init; }

    /// <summary>
    /// Of a weighted sum: a weight for each client, then for each extra row. Of the others: above 0 for the clients that take
    /// part, 0 for those that do not.
    /// </summary>
    public IReadOnlyList<double> Weights { get; init; } = [];

    /// <summary>Rows made of the clients that take part, before the pass; null for none. Never with a weighted sum, whose weights have it in them.</summary>
    public RowMixing? Mixing { get; init; }

    /// <summary>Values off each end, of a trimmed mean.</summary>
    public int Trim { get; init; }

    /// <summary>Values kept, of a mean around the median.</summary>
    public int Keep { get; init; }

    /// <summary>What the rule thought of each client, see <see cref="ClientWeighting.Scores"/>; empty for none.</summary>
    public IReadOnlyList<double> Scores { get; init; } = [];

    /// <summary>Steps of an iterative rule; 0 for others.</summary>
    public int Steps { get; init; }

    /// <summary>
    /// Of a weighted sum over clients that were compared: the cosine of the angle between each client's update and the sum, in [−1, 1],
    /// 0 where one of them is zero. Empty for other passes.
    /// </summary>
    public IReadOnlyList<double> Cosines { get; init; } = [];

    /// <summary>What each client's buffers weigh in their mean, where that is not <see cref="Weights"/>; null where it is.</summary>
    public IReadOnlyList<double>? BufferWeights { get; init; }
}
