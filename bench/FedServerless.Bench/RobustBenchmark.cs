using System.Runtime.InteropServices;
using FedServerless.Aggregation.Robust;
using FedServerless.Compression;

namespace FedServerless.Bench;

/// <summary>
/// One core aggregates 100 updates of a million float32 coordinates, in blocks of 65 536 as the reduce step does, by each
/// robust rule. GB/s are 4·n·d bytes a second.
/// </summary>
internal static class RobustBenchmark
{
    private const int BlockCoordinates = 65_536;

    public static IReadOnlyList<Measurement> Run(IReadOnlyList<string> args)
    {
        var clients = Option(args, "--clients", 100);
        var coordinates = Option(args, "--parameters", 1_000_000);
        var updates = Blocks(clients, coordinates);
        var result = new double[coordinates];
        var f = Math.Max(0, (clients - 3) / 4);
        var trim = clients / 10;
        var sink = 0L;
        var times = Stopclock.TimeInTurns(
            Option(args, "--repeats", 5),
            () => ForEachBlock(updates, coordinates, result, ColumnOrder.ForMedian(clients, null), static (order, tile, part) => order.TryMedian(tile, part.Span)),
            () => ForEachBlock(updates, coordinates, result, ColumnOrder.ForTrimmedMean(clients, trim, null), (order, tile, part) => order.TryTrimmedMean(tile, trim, part.Span)),
            () => Gram(updates, coordinates, clients),
            () => Krum.Choose(Gram(updates, coordinates, clients), f, 0),
            () => RunBulyan(updates, coordinates, clients, f, result),
            () => GeometricMedian.Find(Gram(updates, coordinates, clients), f),
            () => sink ^= Read(updates));
        GC.KeepAlive(sink);
        string[] names = ["median", "trimmed mean (10 % each end)", "inner products", "Krum's choice", "Bulyan", "geometric median's weights", "read loop"];
        return [.. names.Select((name, i) => new Measurement(
            $"{clients} × {coordinates} float32: {name}", times[i].Fastest, "s",
            $"median {times[i].Median:0.000} s; {4.0 * clients * coordinates / times[i].Fastest / 1e9:0.0} GB/s"))];
    }

    private static void RunBulyan(ReadOnlyMemory<byte>[][] updates, int coordinates, int clients, int f, double[] result)
    {
        var choice = Bulyan.Choose(Gram(updates, coordinates, clients), f);
        ReadOnlyMemory<byte>[][] picked = [.. updates.Where((_, i) => choice.Weights[i] > 0)];
        var keep = Bulyan.Kept(clients, f);
        ForEachBlock(picked, coordinates, result, ColumnOrder.ForMeanAroundMedian(picked.Length, null), (order, tile, part) => order.TryMeanAroundMedian(tile, keep, part.Span));
    }

    private static GramMatrix Gram(ReadOnlyMemory<byte>[][] updates, int coordinates, int clients)
    {
        var sum = new double[clients * clients];
        var block = new BlockGram(clients);
        for (var start = 0; start < coordinates; start += BlockCoordinates)
        {
            block.TryAccumulate(Tile(updates, start / BlockCoordinates, Math.Min(BlockCoordinates, coordinates - start)), sum);
        }

        return new GramMatrix(clients, sum);
    }

    private static void ForEachBlock(
        ReadOnlyMemory<byte>[][] updates, int coordinates, double[] result, ColumnOrder order, Func<ColumnOrder, UpdateTile, Memory<double>, bool> rule)
    {
        for (var start = 0; start < coordinates; start += BlockCoordinates)
        {
            var count = Math.Min(BlockCoordinates, coordinates - start);
            rule(order, Tile(updates, start / BlockCoordinates, count), result.AsMemory(start, count));
        }
    }

    private static UpdateTile Tile(ReadOnlyMemory<byte>[][] updates, int block, int coordinates) =>
        UpdateTile.TryOpen(UpdateCodecs.All.Get(UpdateCodecs.Float32), Array.ConvertAll(updates, update => update[block]), coordinates, null, out var tile)
            ? tile
            : throw new InvalidOperationException("The blocks cannot be opened.");

    private static ReadOnlyMemory<byte>[][] Blocks(int clients, int coordinates) => [.. Enumerable.Range(0, clients).Select(client =>
    {
        var random = new Random(client);
        return Enumerable.Range(0, ((coordinates - 1) / BlockCoordinates) + 1).Select(block =>
        {
            var values = new float[Math.Min(BlockCoordinates, coordinates - (block * BlockCoordinates))];
            for (var i = 0; i < values.Length; i++)
            {
                values[i] = (float)(random.NextDouble() - 0.5);
            }

            return (ReadOnlyMemory<byte>)MemoryMarshal.AsBytes(values.AsSpan()).ToArray();
        }).ToArray();
    })];

    private static long Read(ReadOnlyMemory<byte>[][] updates)
    {
        var total = 0L;
        foreach (var block in updates.SelectMany(update => update))
        {
            foreach (var value in MemoryMarshal.Cast<byte, System.Numerics.Vector<long>>(block.Span))
            {
                total ^= value[0];
            }
        }

        return total;
    }

    private static int Option(IReadOnlyList<string> args, string name, int otherwise)
    {
        for (var i = 0; i + 1 < args.Count; i++)
        {
            if (args[i] == name)
            {
                return int.Parse(args[i + 1], System.Globalization.CultureInfo.InvariantCulture);
            }
        }

        return otherwise;
    }
}
