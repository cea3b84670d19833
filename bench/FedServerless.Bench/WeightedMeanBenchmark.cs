using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using FedServerless.Aggregation;
using FedServerless.Compression;

namespace FedServerless.Bench;

/// <summary>
/// One core makes the weighted mean of n = 100 updates of d = 1 000 000 coordinates, in blocks of 65 536 as the reduce step
/// does. The read loop only adds up the same bytes, in the same order, in the same run.
/// </summary>
internal static class WeightedMeanBenchmark
{
    private const int Clients = 100;
    private const int Coordinates = 1_000_000;
    private const int BlockCoordinates = 65_536;
    private const int Repeats = 15;
    private const double DecodedBytes = 4.0 * Clients * Coordinates;

    public static IReadOnlyList<Measurement> Run(IReadOnlyList<string> args) => [.. UpdateCodecs.All.SelectMany(Compare)];

    private static List<Measurement> Compare(IUpdateCodec codec)
    {
        var updates = Enumerable.Range(0, Clients).Select(client => Update(codec, client)).ToArray();
        var encodedBytes = (double)Clients * updates[0].Sum(block => block.Length);
        var weights = Enumerable.Range(1, Clients).Select(client => (double)client).ToArray();
        var mean = new double[Coordinates];
        var aggregation = Aggregators.Find(Aggregators.WeightedMean).Begin(BlockCoordinates);
        var sink = 0L;

        var times = Stopclock.TimeInTurns(
            Repeats,
            () => MeanTogether(codec, updates, weights, aggregation, mean),
            () => MeanOneByOne(codec, updates, weights, aggregation, mean),
            () => sink ^= ReadAll(updates));
        GC.KeepAlive(sink);

        var (together, oneByOne, read) = (times[0], times[1], times[2]);
        return
        [
            new($"{codec.Name}: read loop", encodedBytes / read.Fastest / 1e9, "GB/s", $"encoded bytes; median {encodedBytes / read.Median / 1e9:0.0}"),
            new($"{codec.Name}: weighted mean, all clients", DecodedBytes / together.Fastest / 1e9, "GB/s", Note(together)),
            new($"{codec.Name}: weighted mean, one by one", DecodedBytes / oneByOne.Fastest / 1e9, "GB/s", Note(oneByOne)),
        ];

        string Note((double Fastest, double Median) time) =>
            $"decoded bytes; median {DecodedBytes / time.Median / 1e9:0.0}; {100 * read.Fastest / time.Fastest:0} % of the read loop, medians {100 * read.Median / time.Median:0} %";
    }

    private static byte[][] Update(IUpdateCodec codec, int client)
    {
        var random = new Random(client);
        return [.. Enumerable.Range(0, (Coordinates + BlockCoordinates - 1) / BlockCoordinates).Select(Block)];

        byte[] Block(int block)
        {
            var values = new float[Math.Min(BlockCoordinates, Coordinates - (block * BlockCoordinates))];
            for (var i = 0; i < values.Length; i++)
            {
                values[i] = (float)(random.NextDouble() - 0.5);
            }

            var bytes = new byte[codec.EncodedLength(values.Length).Max];
            return bytes[..codec.ForBlock(block).Encode(values, bytes)];
        }
    }

    private static void MeanTogether(IUpdateCodec codec, byte[][][] updates, double[] weights, IAggregation aggregation, double[] mean)
    {
        var blocks = new ReadOnlyMemory<byte>[updates.Length];
        for (var block = 0; block < updates[0].Length; block++)
        {
            for (var client = 0; client < updates.Length; client++)
            {
                blocks[client] = updates[client][block];
            }

            var part = Part(mean, block);
            aggregation.Restart(part.Length);
            aggregation.TryAddAll(codec.ForBlock(block), blocks, weights);
            aggregation.Complete(part);
        }
    }

    private static void MeanOneByOne(IUpdateCodec codec, byte[][][] updates, double[] weights, IAggregation aggregation, double[] mean)
    {
        for (var block = 0; block < updates[0].Length; block++)
        {
            var part = Part(mean, block);
            aggregation.Restart(part.Length);
            for (var client = 0; client < updates.Length; client++)
            {
                aggregation.TryAdd(codec.ForBlock(block), updates[client][block], weights[client]);
            }

            aggregation.Complete(part);
        }
    }

    private static Span<double> Part(double[] mean, int block) =>
        mean.AsSpan(block * BlockCoordinates, Math.Min(BlockCoordinates, mean.Length - (block * BlockCoordinates)));

    private static long ReadAll(byte[][][] updates)
    {
        var total = 0L;
        for (var block = 0; block < updates[0].Length; block++)
        {
            foreach (var update in updates)
            {
                total += ReadAll(update[block]);
            }
        }

        return total;
    }

    private static long ReadAll(byte[] update)
    {
        ref var x = ref Unsafe.As<byte, long>(ref MemoryMarshal.GetArrayDataReference(update));
        var (a, b, c, d) = (Vector512<long>.Zero, Vector512<long>.Zero, Vector512<long>.Zero, Vector512<long>.Zero);
        var n = (nuint)update.Length / sizeof(long);
        nuint i = 0;
        for (; i + 32 <= n; i += 32)
        {
            a += Vector512.LoadUnsafe(ref x, i);
            b += Vector512.LoadUnsafe(ref x, i + 8);
            c += Vector512.LoadUnsafe(ref x, i + 16);
            d += Vector512.LoadUnsafe(ref x, i + 24);
        }

        var total = Vector512.Sum(a + b + c + d);
        for (; i < n; i++)
        {
            total += Unsafe.Add(ref x, i);
        }

        return total;
    }
}
