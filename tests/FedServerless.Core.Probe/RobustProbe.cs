using System.Runtime.InteropServices;
using System.Security.Cryptography;
using FedServerless.Aggregation.Robust;
using FedServerless.Compression;

namespace FedServerless.Core.Probe;

/// <summary>The column rules and the inner products at numbers of clients and coordinates around every tile of the kernels.</summary>
public static class RobustProbe
{
    public static string Run()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var clients in new[] { 3, 4, 5, 15, 33, 100 })
        {
            foreach (var coordinates in new[] { 1, 7, 16, 31, 65, 511, 1100 })
            {
                var tile = Tile(clients, coordinates);
                var result = new double[coordinates];
                Append(hash, ColumnOrder.ForMedian(clients, null).TryMedian(tile, result), result);
                Append(hash, ColumnOrder.ForTrimmedMean(clients, 1, null).TryTrimmedMean(tile, 1, result), result);
                Append(hash, ColumnOrder.ForMeanAroundMedian(clients, null).TryMeanAroundMedian(tile, (clients + 1) / 2, result), result);
                var gram = new double[clients * clients];
                Append(hash, new BlockGram(clients).TryAccumulate(tile, gram), gram);
                var mixing = Mixings.NearestNeighbours(new GramMatrix(clients, gram), 1);
                Append(hash, ColumnOrder.ForMedian(clients, mixing).TryMedian(tile, result), result);
            }
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static void Append(IncrementalHash hash, bool legal, double[] values)
    {
        if (!legal)
        {
            throw new InvalidOperationException("A kernel refuses finite values.");
        }

        hash.AppendData(MemoryMarshal.AsBytes(values.AsSpan()));
    }

    private static UpdateTile Tile(int clients, int coordinates)
    {
        var blocks = new ReadOnlyMemory<byte>[clients];
        for (var i = 0; i < clients; i++)
        {
            var random = new Random((clients * 10_007) + (coordinates * 101) + i);
            var values = new float[coordinates];
            for (var c = 0; c < coordinates; c++)
            {
                values[c] = (float)((random.NextDouble() * 2) - 1) * MathF.ScaleB(1, random.Next(-60, 60));
            }

            blocks[i] = MemoryMarshal.AsBytes(values.AsSpan()).ToArray();
        }

        return UpdateTile.TryOpen(UpdateCodecs.All.Get(UpdateCodecs.Float32), blocks, coordinates, null, out var tile)
            ? tile
            : throw new InvalidOperationException("The blocks cannot be opened.");
    }
}
