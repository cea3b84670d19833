namespace FedServerless.Aggregation.Robust;

/// <summary>
/// Inner products of clients' updates, <c>G[i,j] = ⟨xᵢ − m, xⱼ − m⟩</c> for one centre <c>m</c>, which distance rules need
/// instead of the updates: distances do not depend on the centre, and weighted points stay in the span of the rows.
/// </summary>
/// <remarks>
/// The centre is the coordinate median, so honest rows are small whatever a hostile row holds, and subtracting it loses
/// nothing of what tells honest rows apart.
/// </remarks>
public sealed class GramMatrix
{
    private readonly double[] _values;

    /// <summary>Takes the upper triangle; the lower one is filled from it.</summary>
    /// <param name="count">Rows, 1 or more.</param>
    /// <param name="values">count × count numbers, row by row; kept, not copied.</param>
    public GramMatrix(int count, double[] values)
    {
        ArgumentNullException.ThrowIfNull(values);
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        ArgumentOutOfRangeException.ThrowIfNotEqual(values.Length, count * count);
        (Count, _values) = (count, values);
        for (var i = 0; i < count; i++)
        {
            for (var j = 0; j < i; j++)
            {
                values[(i * count) + j] = values[(j * count) + i];
            }
        }
    }

    /// <summary>Rows.</summary>
    public int Count { get; }

    /// <summary>⟨xᵢ − m, xⱼ − m⟩.</summary>
    public double this[int i, int j] => _values[(i * Count) + j];

    /// <summary>False when a value overflowed: no rule decides on such a matrix.</summary>
    public bool IsFinite => Array.TrueForAll(_values, double.IsFinite);

    /// <summary>‖xᵢ − xⱼ‖², 0 or more; exactly 0 for equal rows.</summary>
    public double SquaredDistance(int i, int j) => i == j ? 0 : Math.Max(0, this[i, i] + this[j, j] - this[i, j] - this[i, j]);

    /// <summary>⟨xᵢ − o, xⱼ − o⟩, where row <paramref name="origin"/> is o.</summary>
    public double InnerProduct(int i, int j, int origin) => this[i, j] - this[i, origin] - this[origin, j] + this[origin, origin];

    /// <summary><c>G·b</c>, added in ascending column.</summary>
    /// <param name="b">A number for each row.</param>
    /// <param name="product">As many, overwritten.</param>
    public void Multiply(ReadOnlySpan<double> b, Span<double> product)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(b.Length, Count);
        ArgumentOutOfRangeException.ThrowIfNotEqual(product.Length, Count);
        product.Clear();

        // Symmetric, so a row serves as a column, and all sums grow together in ascending order of it.
        for (var j = 0; j < b.Length; j++)
        {
            var column = _values.AsSpan(j * Count, Count);
            for (var i = 0; i < product.Length; i++)
            {
                product[i] += column[i] * b[j];
            }
        }
    }

    /// <summary>The matrix of the rows named, in that order.</summary>
    public GramMatrix Select(ReadOnlySpan<int> rows)
    {
        var values = new double[rows.Length * rows.Length];
        for (var i = 0; i < rows.Length; i++)
        {
            for (var j = 0; j < rows.Length; j++)
            {
                values[(i * rows.Length) + j] = this[rows[i], rows[j]];
            }
        }

        return new GramMatrix(rows.Length, values);
    }

    /// <summary>The matrix of mixed rows, <c>B·G·Bᵀ</c>. The rows of a mixing add to 1, so the centre stays the same.</summary>
    public GramMatrix Mix(RowMixing mixing)
    {
        ArgumentNullException.ThrowIfNull(mixing);
        ArgumentOutOfRangeException.ThrowIfNotEqual(mixing.Clients, Count);
        var half = new double[mixing.Rows * Count];
        for (var r = 0; r < mixing.Rows; r++)
        {
            Multiply(mixing.Row(r), half.AsSpan(r * Count, Count));
        }

        var values = new double[mixing.Rows * mixing.Rows];
        for (var r = 0; r < mixing.Rows; r++)
        {
            for (var s = r; s < mixing.Rows; s++)
            {
                var weights = mixing.Row(s);
                var sum = 0.0;
                for (var j = 0; j < Count; j++)
                {
                    sum += half[(r * Count) + j] * weights[j];
                }

                values[(r * mixing.Rows) + s] = sum;
            }
        }

        return new GramMatrix(mixing.Rows, values);
    }
}
