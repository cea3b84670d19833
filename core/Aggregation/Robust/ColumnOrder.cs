using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace FedServerless.Aggregation.Robust;

/// <summary>
/// Rules that look at one coordinate of all clients at a time: median, trimmed mean, the mean around the median. Holds the
/// scratch memory for one number of rows; not thread-safe. Each result depends on its own coordinate only, so shards and vector
/// widths cannot change a bit. Formulas: docs/maths/robust-aggregation.md.
/// </summary>
internal sealed class ColumnOrder
{
    // Decoded floats stay in the second-level cache, the columns being sorted in the first.
    private const int DecodedValues = 128 * 1024;
    private const int SortedValues = 6 * 1024;

    private readonly RowMixing? _mixing;
    private readonly SortingNetwork _network;
    private readonly int _clients;
    private readonly int _decodedColumns;
    private readonly int _sortedColumns;
    private readonly float[] _decoded;
    private readonly float[] _mixed;
    private readonly double[] _sums;
    private readonly int[] _sorted;

    private ColumnOrder(int clients, RowMixing? mixing, SortingNetwork network)
    {
        (_clients, _mixing, _network) = (clients, mixing, network);
        _sortedColumns = Columns(SortedValues / network.Rows, 64);
        _decodedColumns = Columns(DecodedValues / clients, 8192) / _sortedColumns * _sortedColumns;
        _decodedColumns = Math.Max(_decodedColumns, _sortedColumns);
        _decoded = new float[clients * _decodedColumns];
        _mixed = mixing is null ? [] : new float[mixing.Rows * _decodedColumns];
        _sums = new double[Math.Max(_decodedColumns, _sortedColumns)];
        _sorted = new int[network.Rows * _sortedColumns];
    }

    private delegate void SortedVisitor(Span<int> sorted, int stride, Span<double> result);

    /// <summary>For <see cref="TryMedian"/>.</summary>
    /// <param name="clients">Clients, 1 or more.</param>
    /// <param name="mixing">What is done to the clients' updates first, or null.</param>
    public static ColumnOrder ForMedian(int clients, RowMixing? mixing)
    {
        var rows = mixing?.Rows ?? clients;
        return new ColumnOrder(clients, mixing, SortingNetwork.Create(rows, (rows - 1) / 2, 2 - (rows % 2)));
    }

    /// <summary>For <see cref="TryLowerMedian"/>.</summary>
    public static ColumnOrder ForLowerMedian(int clients) => new(clients, null, SortingNetwork.Create(clients, (clients - 1) / 2, 1));

    /// <summary>For <see cref="TryTrimmedMean"/> with <paramref name="trim"/> values off each end.</summary>
    public static ColumnOrder ForTrimmedMean(int clients, int trim, RowMixing? mixing)
    {
        var rows = mixing?.Rows ?? clients;
        return new ColumnOrder(clients, mixing, SortingNetwork.Create(rows, trim, rows - (2 * trim)));
    }

    /// <summary>For <see cref="TryMeanAroundMedian"/>.</summary>
    public static ColumnOrder ForMeanAroundMedian(int clients, RowMixing? mixing)
    {
        var rows = mixing?.Rows ?? clients;
        return new ColumnOrder(clients, mixing, SortingNetwork.Create(rows, 0, rows));
    }

    /// <summary>
    /// The middle value, or the mean of the two middle ones: <c>(a + b) / 2</c> in double. Yin et al. 2018, arXiv:1803.01498,
    /// definition 1. False when a block is not legal.
    /// </summary>
    public bool TryMedian(UpdateTile updates, Span<double> median)
    {
        var low = (_network.Rows - 1) / 2;
        var high = _network.Rows / 2;
        return TryVisit(updates, median, (sorted, stride, result) =>
        {
            for (var c = 0; c < result.Length; c++)
            {
                var a = OrderedBits.ToSingle(sorted[(low * stride) + c]);
                var b = OrderedBits.ToSingle(sorted[(high * stride) + c]);
                result[c] = ((double)a + b) / 2;
            }
        });
    }

    /// <summary>The middle value, of an even number the lower of the two: always one of the clients' own. False when a block is not legal.</summary>
    public bool TryLowerMedian(UpdateTile updates, Span<float> median)
    {
        var middle = (_network.Rows - 1) / 2;
        var result = new double[median.Length];
        var legal = TryVisit(updates, result, (sorted, stride, values) =>
        {
            for (var c = 0; c < values.Length; c++)
            {
                values[c] = OrderedBits.ToSingle(sorted[(middle * stride) + c]);
            }
        });
        for (var c = 0; c < median.Length; c++)
        {
            median[c] = (float)result[c];
        }

        return legal;
    }

    /// <summary>
    /// The mean of what is left without the <paramref name="trim"/> largest and smallest values, added in ascending order. Yin
    /// et al. 2018, definition 2. False when a block is not legal.
    /// </summary>
    public bool TryTrimmedMean(UpdateTile updates, int trim, Span<double> mean)
    {
        var last = _network.Rows - trim;
        return TryVisit(updates, mean, (sorted, stride, result) =>
        {
            result.Clear();
            for (var r = trim; r < last; r++)
            {
                WeightedMean.Accumulate(ToSingles(sorted.Slice(r * stride, result.Length)), 1, result);
            }

            WeightedMean.Complete(result, last - trim);
        });
    }

    /// <summary>
    /// The mean of the <paramref name="keep"/> values nearest the median, the lower one first at equal distance; they are
    /// neighbours in ascending order and added in it. El Mhamdi et al. 2018, arXiv:1802.07927, section 4 (Bulyan's second
    /// step). False when a block is not legal.
    /// </summary>
    public bool TryMeanAroundMedian(UpdateTile updates, int keep, Span<double> mean)
    {
        var rows = _network.Rows;
        return TryVisit(updates, mean, (sorted, stride, result) =>
        {
            _ = ToSingles(sorted);
            var values = MemoryMarshal.Cast<int, float>(sorted);
            var c = 0;
            for (; c + Vector<float>.Count <= result.Length; c += Vector<float>.Count)
            {
                MeanAroundMedian(values, stride, rows, keep, c, result);
            }

            for (; c < result.Length; c++)
            {
                result[c] = MeanAroundMedian(values[c..], stride, rows, keep);
            }
        });
    }

    private static double MeanAroundMedian(ReadOnlySpan<float> column, int stride, int rows, int keep)
    {
        var middles = (double)column[(rows - 1) / 2 * stride] + column[rows / 2 * stride];
        var first = 0;
        while (first < rows - keep && (double)column[first * stride] + column[(first + keep) * stride] < middles)
        {
            first++;
        }

        var sum = 0.0;
        for (var r = first; r < first + keep; r++)
        {
            sum += column[r * stride];
        }

        return sum / keep;
    }

    // The window moves up while its lowest value is farther from the median m than the next above it: m − low > high − m.
    // Sums of neighbours ascend, so the number of steps is the number of positions at which that holds.
    private static void MeanAroundMedian(ReadOnlySpan<float> values, int stride, int rows, int keep, int column, Span<double> mean)
    {
        ref var start = ref Unsafe.Add(ref MemoryMarshal.GetReference(values), column);
        var (lowA, highA) = Load(ref start, (rows - 1) / 2 * stride);
        var (lowB, highB) = Load(ref start, rows / 2 * stride);
        var (middlesLow, middlesHigh) = (lowA + lowB, highA + highB);
        var (firstLow, firstHigh) = (Vector<double>.Zero, Vector<double>.Zero);
        for (var r = 0; r < rows - keep; r++)
        {
            var (a, b) = Load(ref start, r * stride);
            var (c, d) = Load(ref start, (r + keep) * stride);
            firstLow += Vector.ConditionalSelect(Vector.LessThan(a + c, middlesLow), Vector<double>.One, Vector<double>.Zero);
            firstHigh += Vector.ConditionalSelect(Vector.LessThan(b + d, middlesHigh), Vector<double>.One, Vector<double>.Zero);
        }

        var (sumLow, sumHigh) = (Vector<double>.Zero, Vector<double>.Zero);
        var count = new Vector<double>(keep);
        for (var r = 0; r < rows; r++)
        {
            var (a, b) = Load(ref start, r * stride);
            var rank = new Vector<double>(r);
            sumLow += Within(a, rank - firstLow, count);
            sumHigh += Within(b, rank - firstHigh, count);
        }

        (sumLow / count).CopyTo(mean[column..]);
        (sumHigh / count).CopyTo(mean[(column + Vector<double>.Count)..]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector<double> Within(Vector<double> value, Vector<double> position, Vector<double> count) => Vector.ConditionalSelect(
        Vector.GreaterThanOrEqual(position, Vector<double>.Zero) & Vector.LessThan(position, count), value, Vector<double>.Zero);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector<double> Low, Vector<double> High) Load(ref float start, int offset)
    {
        Vector.Widen(Vector.LoadUnsafe(ref start, (nuint)offset), out var low, out var high);
        return (low, high);
    }

    /// <summary>The same memory, as the values it stood for.</summary>
    private static ReadOnlySpan<float> ToSingles(Span<int> ordered)
    {
        OrderedColumns.Flip(ordered, ordered);
        return MemoryMarshal.Cast<int, float>(ordered);
    }

    private static int Columns(int wanted, int most) => Math.Clamp(wanted / ColumnSort.Granule * ColumnSort.Granule, ColumnSort.Granule, most);

    private bool TryVisit(UpdateTile updates, Span<double> result, SortedVisitor visit)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(updates.Rows, _clients);
        ArgumentOutOfRangeException.ThrowIfNotEqual(result.Length, updates.Coordinates);
        for (var start = 0; start < result.Length; start += _decodedColumns)
        {
            var columns = Math.Min(_decodedColumns, result.Length - start);
            if (!updates.TryRead(start, columns, _decoded, _decodedColumns))
            {
                return false;
            }

            var rows = Mix(columns);
            for (var c = 0; c < columns; c += _sortedColumns)
            {
                var count = Math.Min(_sortedColumns, columns - c);
                for (var r = 0; r < _network.Rows; r++)
                {
                    OrderedColumns.Flip(
                        MemoryMarshal.Cast<float, int>(rows.AsSpan((r * _decodedColumns) + c, count)), _sorted.AsSpan(r * _sortedColumns, count));
                }

                ColumnSort.Run(_network, _sorted, _sortedColumns);
                visit(_sorted, _sortedColumns, result.Slice(start + c, count));
            }
        }

        return true;
    }

    private float[] Mix(int columns)
    {
        if (_mixing is null)
        {
            return _decoded;
        }

        for (var r = 0; r < _mixing.Rows; r++)
        {
            var sums = _sums.AsSpan(0, columns);
            sums.Clear();
            var weights = _mixing.Row(r);
            for (var j = 0; j < weights.Length; j++)
            {
                if (weights[j] != 0)
                {
                    WeightedMean.Accumulate(_decoded.AsSpan(j * _decodedColumns, columns), weights[j], sums);
                }
            }

            for (var c = 0; c < columns; c++)
            {
                _mixed[(r * _decodedColumns) + c] = (float)sums[c];
            }
        }

        return _mixed;
    }
}
