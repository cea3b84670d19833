using System.Runtime.InteropServices;
using FedServerless.Aggregation.Robust;
using FedServerless.Compression;

namespace FedServerless.Core.Tests.Aggregation.Robust;

/// <summary>Updates as the rules read them.</summary>
internal static class Blocks
{
    public static UpdateTile Tile(params float[][] updates)
    {
        var blocks = Array.ConvertAll(updates, update => (ReadOnlyMemory<byte>)MemoryMarshal.AsBytes(update.AsSpan()).ToArray());
        Assert.True(UpdateTile.TryOpen(UpdateCodecs.All.Get(UpdateCodecs.Float32), blocks, updates[0].Length, null, out var tile));
        return tile!;
    }

    public static GramMatrix Gram(params float[][] updates)
    {
        var gram = new double[updates.Length * updates.Length];
        Assert.True(new BlockGram(updates.Length).TryAccumulate(Tile(updates), gram));
        return new GramMatrix(updates.Length, gram);
    }

    /// <summary>Σ wᵢ·xᵢ.</summary>
    public static double[] Combine(IReadOnlyList<double> weights, params float[][] updates)
    {
        var sum = new double[updates[0].Length];
        for (var i = 0; i < updates.Length; i++)
        {
            for (var c = 0; c < sum.Length; c++)
            {
                sum[c] += weights[i] * updates[i][c];
            }
        }

        return sum;
    }

    public static float[][] Random(int clients, int coordinates, int seed) =>
        [.. Enumerable.Range(0, clients).Select(i => Numerics.Vectors.Mild(coordinates, (seed * 1000) + i))];
}
