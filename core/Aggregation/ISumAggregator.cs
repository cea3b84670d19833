namespace FedServerless.Aggregation;

/// <summary>
/// A rule whose aggregate is a sum over clients, divided at the end. Sums of some clients can be made apart, kept, and joined
/// later in a fixed order: what a reduction in two levels needs. Rules that compare clients are none.
/// </summary>
public interface ISumAggregator : IAggregator
{
    /// <summary>Starts the aggregation of one range of coordinates.</summary>
    /// <param name="dimension">Coordinates in the range, 0 or more.</param>
    new ISumAggregation Begin(int dimension);
}

/// <summary>One range of coordinates being summed over clients.</summary>
public interface ISumAggregation : IAggregation
{
    /// <summary>Weights added so far; NaN once a block was refused.</summary>
    double Weight { get; }

    /// <summary>Copies the sums that were added so far.</summary>
    /// <param name="sum"><see cref="IAggregation.Dimension"/> values, overwritten.</param>
    /// <exception cref="InvalidOperationException">Nothing was added, or a block was refused.</exception>
    void CopySum(Span<double> sum);

    /// <summary>
    /// Adds the sums of other clients as one term: <c>s[i] = s[i] + sum[i]</c>, one IEEE addition in binary64 each. Joined to
    /// an aggregation that is empty they are taken over bit by bit.
    /// </summary>
    /// <param name="sum"><see cref="IAggregation.Dimension"/> values that <see cref="CopySum"/> gave.</param>
    /// <param name="weight">Their <see cref="Weight"/>, above 0 and finite.</param>
    void Join(ReadOnlySpan<double> sum, double weight);
}
