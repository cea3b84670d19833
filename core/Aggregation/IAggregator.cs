namespace FedServerless.Aggregation;

/// <summary>
/// A named, stateless rule that makes one update of many, coordinate by coordinate. Any range of coordinates can be
/// aggregated alone, so a shard sees only its slice of every update.
/// </summary>
public interface IAggregator
{
    /// <summary>The name in specs: one of <see cref="Aggregators"/>.</summary>
    string Name { get; }

    /// <summary>Starts the aggregation of one range of coordinates.</summary>
    /// <param name="dimension">Coordinates in the range, 0 or more.</param>
    IAggregation Begin(int dimension);
}
