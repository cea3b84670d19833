using System.Numerics;
using System.Runtime.InteropServices;

namespace FedServerless.Aggregation.Robust;

/// <summary>
/// The part of a <see cref="GramMatrix"/> that one block of coordinates contributes. Columns are taken
/// <see cref="GramKernel.Columns"/> at a time from the block's start, each such piece adds its inner products in order; whoever
/// joins blocks adds theirs in order of the coordinates. Not thread-safe.
/// </summary>
public sealed class BlockGram
{
    private readonly int _clients;
    private readonly ColumnOrder _order;
    private readonly float[] _values;
    private readonly double[] _rows;

    /// <summary>Scratch memory for one number of rows.</summary>
    /// <param name="clients">Rows of every tile, extra ones included; 1 or more.</param>
    public BlockGram(int clients)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(clients, 1);
        _clients = clients;
        _order = ColumnOrder.ForLowerMedian(clients);
        var padded = (clients + GramKernel.RowGranule - 1) / GramKernel.RowGranule * GramKernel.RowGranule;
        _values = new float[clients * GramKernel.Columns];
        _rows = new double[padded * GramKernel.Columns];
    }

    /// <summary>Adds the block's inner products, centred at its coordinate median (of an even number of clients the lower one).</summary>
    /// <param name="updates">The block of each client.</param>
    /// <param name="gram">clients × clients; the upper triangle is added to.</param>
    /// <returns>False, with <paramref name="gram"/> undefined, when a block is not legal.</returns>
    public bool TryAccumulate(UpdateTile updates, Span<double> gram)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(updates.Rows, _clients);
        var center = new float[updates.Coordinates];
        if (!_order.TryLowerMedian(updates, center))
        {
            return false;
        }

        for (var start = 0; start < updates.Coordinates; start += GramKernel.Columns)
        {
            var columns = Math.Min(GramKernel.Columns, updates.Coordinates - start);
            if (!updates.TryRead(start, columns, _values, GramKernel.Columns))
            {
                return false;
            }

            for (var row = 0; row < _clients; row++)
            {
                var centred = _rows.AsSpan(row * GramKernel.Columns, GramKernel.Columns);
                Subtract(_values.AsSpan(row * GramKernel.Columns, columns), center.AsSpan(start, columns), centred);
                centred[columns..].Clear();
            }

            GramKernel.Accumulate(_rows, _clients, gram);
        }

        return true;
    }

    private static void Subtract(ReadOnlySpan<float> values, ReadOnlySpan<float> center, Span<double> centred)
    {
        var i = 0;
        for (; i + Vector<float>.Count <= values.Length; i += Vector<float>.Count)
        {
            Vector.Widen(Vector.LoadUnsafe(ref MemoryMarshal.GetReference(values), (nuint)i), out var low, out var high);
            Vector.Widen(Vector.LoadUnsafe(ref MemoryMarshal.GetReference(center), (nuint)i), out var centerLow, out var centerHigh);
            (low - centerLow).CopyTo(centred[i..]);
            (high - centerHigh).CopyTo(centred[(i + Vector<double>.Count)..]);
        }

        for (; i < values.Length; i++)
        {
            centred[i] = (double)values[i] - center[i];
        }
    }
}
