namespace FedServerless.Aggregation.Robust;

/// <summary>
/// What a distance rule decided: how much of each client's update goes into the aggregate <c>Σ wᵢ·xᵢ</c>, or why it gives none.
/// </summary>
public sealed record ClientWeighting
{
    /// <summary>
    /// Weights in the order of the clients, finite; they need not add to 1 (norm bounding's add to less). Empty when refused.
    /// </summary>
    public IReadOnlyList<double> Weights { get; private init; } = [];

    /// <summary>
    /// What the rule thought of each client, in its own measure (Krum: the score; geometric median and clipping: the distance
    /// to the result; FLTrust: the cosine). Empty when it has none.
    /// </summary>
    public IReadOnlyList<double> Scores { get; private init; } = [];

    /// <summary>Why there is no aggregate, for people; null when there is one.</summary>
    public string? Refusal { get; private init; }

    /// <summary>Steps an iterative rule took; 0 for others.</summary>
    public int Steps { get; private init; }

    /// <summary>There is an aggregate.</summary>
    internal static ClientWeighting Of(double[] weights, double[] scores, int steps = 0) =>
        new() { Weights = weights, Scores = scores, Steps = steps };

    /// <summary>There is none.</summary>
    internal static ClientWeighting Refused(string reason, int steps = 0) => new() { Refusal = reason, Steps = steps };
}
