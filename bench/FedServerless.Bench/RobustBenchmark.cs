using System.Diagnostics;
using System.Runtime.InteropServices;
using FedServerless.Aggregation;
using FedServerless.Aggregation.Robust;
using FedServerless.Capacity;
using FedServerless.Compression;

namespace FedServerless.Bench;

/// <summary>
/// One core, or so many, aggregates 100 updates of a million float32 coordinates, in blocks of 65 536 as the reduce step does, by each
/// robust rule. GB/s are 4·n·d bytes a second.
/// </summary>
internal static class RobustBenchmark
{
    private const int BlockCoordinates = 65_536;

    public static IReadOnlyList<Measurement> Run(IReadOnlyList<string> args)
    {
        var clients = args.Number("--clients", 100);
        var coordinates = args.Number("--parameters", 1_000_000);
        var cores = args.Number("--cores", 1);
        var updates = Blocks(clients, coordinates);
        var result = new double[coordinates];
        var f = Math.Max(0, (clients - 3) / 4);
        var trim = clients / 10;
        var weights = Enumerable.Repeat(1.0, clients).ToArray();
        var sink = 0L;
        var times = Stopclock.TimeInTurns(
            args.Number("--repeats", 5),
            () => Mean(updates, coordinates, weights, result, cores),
            () => ForEachBlock(updates, coordinates, result, cores, () => ColumnOrder.ForMedian(clients, null), static (order, tile, part) => order.TryMedian(tile, part.Span)),
            () => ForEachBlock(updates, coordinates, result, cores, () => ColumnOrder.ForTrimmedMean(clients, trim, null), (order, tile, part) => order.TryTrimmedMean(tile, trim, part.Span)),
            () => Krum.Choose(Gram(updates, coordinates, clients, cores), f, 0),
            () => RunBulyan(updates, coordinates, clients, f, result, cores),
            () => GeometricMedian.Find(Gram(updates, coordinates, clients, cores), f),
            () => sink ^= Read(updates));
        GC.KeepAlive(sink);
        string[] names = ["weighted mean", "median", "trimmed mean (10 % each end)", "Krum's choice", "Bulyan", "geometric median's weights", "read loop, one core"];
        return
        [
            .. names.Select((name, i) => new Measurement(
                $"{clients} × {coordinates} float32, {cores} {(cores == 1 ? "core" : "cores")}: {name}", times[i].Fastest, "s",
                $"median {times[i].Median:0.0000} s; {4.0 * clients * coordinates / times[i].Fastest / 1e9:0.0} GB/s")),
            .. Numpy(args, clients, coordinates),
        ];
    }

    /// <summary>The same work by numpy, where <c>--numpy PYTHON</c> says which interpreter has it.</summary>
    private static IEnumerable<Measurement> Numpy(IReadOnlyList<string> args, int clients, int coordinates)
    {
        if (args.Text("--numpy") is not { } python)
        {
            yield break;
        }

        var start = new ProcessStartInfo(python, [Path.Combine(AppContext.BaseDirectory, "robust_numpy.py"), $"{clients}", $"{coordinates}"]) { RedirectStandardOutput = true };
        using var process = Process.Start(start)!;
        while (process.StandardOutput.ReadLine() is { } line)
        {
            var cells = line.Split('\t');
            var seconds = double.Parse(cells[1], System.Globalization.CultureInfo.InvariantCulture);
            yield return new Measurement($"{clients} × {coordinates} float32, numpy, one thread: {cells[0]}", seconds, "s", $"{4.0 * clients * coordinates / seconds / 1e9:0.0} GB/s");
        }
    }

    private static void Mean(ReadOnlyMemory<byte>[][] updates, int coordinates, double[] weights, double[] result, int cores)
    {
        var codec = UpdateCodecs.All.Get(UpdateCodecs.Float32);
        Parallel.For(0, BlockCount(coordinates), new ParallelOptions { MaxDegreeOfParallelism = cores }, block =>
        {
            var count = Math.Min(BlockCoordinates, coordinates - (block * BlockCoordinates));
            var aggregation = Aggregators.Find(Aggregators.WeightedMean).Begin(count);
            aggregation.TryAddAll(codec, Array.ConvertAll(updates, update => update[block]), weights);
            aggregation.Complete(result.AsSpan(block * BlockCoordinates, count));
        });
    }

    private static int BlockCount(int coordinates) => ((coordinates - 1) / BlockCoordinates) + 1;

    private static void RunBulyan(ReadOnlyMemory<byte>[][] updates, int coordinates, int clients, int f, double[] result, int cores)
    {
        var choice = Bulyan.Choose(Gram(updates, coordinates, clients, cores), f);
        ReadOnlyMemory<byte>[][] picked = [.. updates.Where((_, i) => choice.Weights[i] > 0)];
        var keep = Bulyan.Kept(clients, f);
        ForEachBlock(picked, coordinates, result, cores, () => ColumnOrder.ForMeanAroundMedian(picked.Length, null), (order, tile, part) => order.TryMeanAroundMedian(tile, keep, part.Span));
    }

    private static GramMatrix Gram(ReadOnlyMemory<byte>[][] updates, int coordinates, int clients, int cores)
    {
        // As shards do it: a matrix of its own for each super-block, added in order.
        const int BlocksOfSuperBlock = (int)ShardLayout.SuperBlock / BlockCoordinates;
        var parts = new double[(BlockCount(coordinates) + BlocksOfSuperBlock - 1) / BlocksOfSuperBlock][];
        Parallel.For(0, parts.Length, new ParallelOptions { MaxDegreeOfParallelism = cores }, part =>
        {
            parts[part] = new double[clients * clients];
            var kernel = new BlockGram(clients);
            for (var block = part * BlocksOfSuperBlock; block < Math.Min((part + 1) * BlocksOfSuperBlock, BlockCount(coordinates)); block++)
            {
                kernel.TryAccumulate(Tile(updates, block, Math.Min(BlockCoordinates, coordinates - (block * BlockCoordinates))), parts[part]);
            }
        });
        var sum = new double[clients * clients];
        foreach (var part in parts)
        {
            for (var i = 0; i < sum.Length; i++)
            {
                sum[i] += part[i];
            }
        }

        return new GramMatrix(clients, sum);
    }

    private static void ForEachBlock(
        ReadOnlyMemory<byte>[][] updates, int coordinates, double[] result, int cores, Func<ColumnOrder> order, Func<ColumnOrder, UpdateTile, Memory<double>, bool> rule)
    {
        using var orders = new ThreadLocal<ColumnOrder>(order);
        Parallel.For(0, BlockCount(coordinates), new ParallelOptions { MaxDegreeOfParallelism = cores }, block =>
        {
            var count = Math.Min(BlockCoordinates, coordinates - (block * BlockCoordinates));
            rule(orders.Value!, Tile(updates, block, count), result.AsMemory(block * BlockCoordinates, count));
        });
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
}
