namespace FedServerless.Aggregation.Robust;

/// <summary>Runs the passes that are not weighted sums, block by block, over the clients that take part.</summary>
public sealed class ColumnPassKernel
{
    private readonly ColumnPass _pass;

    private readonly ColumnOrder _order;

    private ColumnPassKernel(ColumnPass pass, ColumnOrder order) => (_pass, _order) = (pass, order);

    /// <summary>Scratch memory for one number of clients that take part.</summary>
    /// <param name="pass">What is computed; no weighted sum.</param>
    /// <param name="clients">Clients with a weight above 0.</param>
    public static ColumnPassKernel Create(ColumnPass pass, int clients)
    {
        ArgumentNullException.ThrowIfNull(pass);
        return new(pass, pass.Kind switch
        {
            ColumnPassKind.Median => ColumnOrder.ForMedian(clients, pass.Mixing),
            ColumnPassKind.TrimmedMean => ColumnOrder.ForTrimmedMean(clients, pass.Trim, pass.Mixing),
            ColumnPassKind.MeanAroundMedian => ColumnOrder.ForMeanAroundMedian(clients, pass.Mixing),
            _ => throw new ArgumentException("A weighted sum is a fold.", nameof(pass)),
        });
    }

    /// <summary>One block of the clients that take part; false when it is not legal.</summary>
    /// <param name="updates">The block of each of them.</param>
    /// <param name="result">A value a coordinate, overwritten.</param>
    public bool TryRun(UpdateTile updates, Span<double> result) => _pass.Kind switch
    {
        ColumnPassKind.Median => _order.TryMedian(updates, result),
        ColumnPassKind.TrimmedMean => _order.TryTrimmedMean(updates, _pass.Trim, result),
        _ => _order.TryMeanAroundMedian(updates, _pass.Keep, result),
    };
}
