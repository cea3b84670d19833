namespace FedServerless.Aggregation.Robust;

/// <summary>
/// Rows made of clients' updates before a rule sees them: row <c>r</c> is <c>Σⱼ weights[r][j]·xⱼ</c>. Bucketing and
/// nearest-neighbour mixing are such matrices; their rows are 0 or more and add to 1.
/// </summary>
public sealed class RowMixing
{
    private readonly double[] _weights;

    /// <summary>Takes the matrix, row by row.</summary>
    /// <param name="rows">Rows made, 1 or more.</param>
    /// <param name="clients">Clients they are made of, 1 or more.</param>
    /// <param name="weights"><paramref name="rows"/> × <paramref name="clients"/> finite numbers of 0 or more.</param>
    /// <exception cref="ArgumentException">A length or a number is not legal.</exception>
    public RowMixing(int rows, int clients, double[] weights)
    {
        ArgumentNullException.ThrowIfNull(weights);
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(clients, 1);
        ArgumentOutOfRangeException.ThrowIfNotEqual(weights.Length, rows * clients);
        if (weights.Any(weight => !(weight >= 0) || !double.IsFinite(weight)))
        {
            throw new ArgumentException("The weights of a mixing are finite and 0 or more.", nameof(weights));
        }

        (Rows, Clients, _weights) = (rows, clients, weights);
    }

    /// <summary>Rows made.</summary>
    public int Rows { get; }

    /// <summary>Clients they are made of.</summary>
    public int Clients { get; }

    /// <summary>What each client contributes to a row.</summary>
    public ReadOnlySpan<double> Row(int row) => _weights.AsSpan(row * Clients, Clients);

    /// <summary>
    /// The clients' weights in what a rule made of the rows: <c>w = Bᵀ·w′</c>, added in ascending row.
    /// </summary>
    /// <param name="rowWeights">A weight for each row.</param>
    public double[] ToClients(ReadOnlySpan<double> rowWeights)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(rowWeights.Length, Rows);
        var weights = new double[Clients];
        for (var r = 0; r < Rows; r++)
        {
            var row = Row(r);
            for (var j = 0; j < weights.Length; j++)
            {
                weights[j] += rowWeights[r] * row[j];
            }
        }

        return weights;
    }
}
