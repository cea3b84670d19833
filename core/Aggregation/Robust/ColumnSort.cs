using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace FedServerless.Aggregation.Robust;

/// <summary>Runs a network over a tile of integers: every column by itself, all columns of a row in one instruction or a few.</summary>
internal static class ColumnSort
{
    /// <summary>Row <c>r</c> of the tile is <c>tile[r·columns … (r+1)·columns)</c>; columns are a multiple of <see cref="Granule"/>.</summary>
    public const int Granule = 16;

    public static void Run(SortingNetwork network, Span<int> tile, int columns)
    {
        Debug.Assert(columns % Granule == 0 && tile.Length >= network.Rows * columns);
        ref var first = ref MemoryMarshal.GetReference(tile);
        var pairs = network.Pairs;
        if (Vector512.IsHardwareAccelerated)
        {
            Run512(pairs, ref first, (nuint)columns);
        }
        else if (Vector256.IsHardwareAccelerated)
        {
            Run256(pairs, ref first, (nuint)columns);
        }
        else
        {
            RunScalar(pairs, ref first, (nuint)columns);
        }
    }

    private static void Run512(ReadOnlySpan<ushort> pairs, ref int tile, nuint columns)
    {
        for (var k = 0; k + 1 < pairs.Length; k += 2)
        {
            ref var low = ref Unsafe.Add(ref tile, pairs[k] * columns);
            ref var high = ref Unsafe.Add(ref tile, pairs[k + 1] * columns);
            for (nuint c = 0; c < columns; c += 16)
            {
                var a = Vector512.LoadUnsafe(ref low, c);
                var b = Vector512.LoadUnsafe(ref high, c);
                Vector512.Min(a, b).StoreUnsafe(ref low, c);
                Vector512.Max(a, b).StoreUnsafe(ref high, c);
            }
        }
    }

    private static void Run256(ReadOnlySpan<ushort> pairs, ref int tile, nuint columns)
    {
        for (var k = 0; k + 1 < pairs.Length; k += 2)
        {
            ref var low = ref Unsafe.Add(ref tile, pairs[k] * columns);
            ref var high = ref Unsafe.Add(ref tile, pairs[k + 1] * columns);
            for (nuint c = 0; c < columns; c += 8)
            {
                var a = Vector256.LoadUnsafe(ref low, c);
                var b = Vector256.LoadUnsafe(ref high, c);
                Vector256.Min(a, b).StoreUnsafe(ref low, c);
                Vector256.Max(a, b).StoreUnsafe(ref high, c);
            }
        }
    }

    private static void RunScalar(ReadOnlySpan<ushort> pairs, ref int tile, nuint columns)
    {
        for (var k = 0; k + 1 < pairs.Length; k += 2)
        {
            ref var low = ref Unsafe.Add(ref tile, pairs[k] * columns);
            ref var high = ref Unsafe.Add(ref tile, pairs[k + 1] * columns);
            for (nuint c = 0; c < columns; c++)
            {
                var (a, b) = (Unsafe.Add(ref low, c), Unsafe.Add(ref high, c));
                Unsafe.Add(ref low, c) = Math.Min(a, b);
                Unsafe.Add(ref high, c) = Math.Max(a, b);
            }
        }
    }
}
