namespace FedServerless.Aggregation.Robust;

/// <summary>
/// A fixed sequence of compare-exchanges that sorts <c>n</c> rows whatever they hold: Batcher's merge exchange (Knuth, The Art
/// of Computer Programming, volume 3, section 5.2.2, algorithm M), without the exchanges that cannot reach a rank somebody
/// asked for. It has no branch on data, so all columns of a tile go through it together.
/// </summary>
internal sealed class SortingNetwork
{
    private readonly ushort[] _pairs;

    private SortingNetwork(int rows, ushort[] pairs) => (Rows, _pairs) = (rows, pairs);

    /// <summary>Rows it sorts.</summary>
    public int Rows { get; }

    /// <summary>Row pairs (low, high), one after another: the smaller value goes to the first.</summary>
    public ReadOnlySpan<ushort> Pairs => _pairs;

    /// <summary>A network after which the ranks [<paramref name="first"/>, <paramref name="first"/> + <paramref name="count"/>) stand in their rows.</summary>
    /// <param name="rows">1 to <see cref="ushort.MaxValue"/>.</param>
    /// <param name="first">The lowest rank wanted, from 0.</param>
    /// <param name="count">How many, 1 or more.</param>
    public static SortingNetwork Create(int rows, int first, int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(rows, ushort.MaxValue);
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(first + count, rows);
        var all = MergeExchange(rows);
        var wanted = new bool[rows];
        wanted.AsSpan(first, count).Fill(true);

        // Backwards: an exchange matters when one of its two rows matters to anything after it, and then both of its inputs do.
        var kept = new List<ushort>(2 * all.Count);
        for (var k = all.Count - 1; k >= 0; k--)
        {
            var (low, high) = all[k];
            if (wanted[low] || wanted[high])
            {
                wanted[low] = wanted[high] = true;
                kept.Add((ushort)high);
                kept.Add((ushort)low);
            }
        }

        kept.Reverse();
        return new SortingNetwork(rows, [.. kept]);
    }

    private static List<(int Low, int High)> MergeExchange(int rows)
    {
        var pairs = new List<(int, int)>();
        var top = 1;
        while (2 * top < rows)
        {
            top *= 2;
        }

        for (var p = top; p > 0 && rows > 1; p /= 2)
        {
            var q = top;
            var r = 0;
            var d = p;
            while (true)
            {
                for (var i = 0; i < rows - d; i++)
                {
                    if ((i & p) == r)
                    {
                        pairs.Add((i, i + d));
                    }
                }

                if (q == p)
                {
                    break;
                }

                d = q - p;
                q /= 2;
                r = p;
            }
        }

        return pairs;
    }
}
