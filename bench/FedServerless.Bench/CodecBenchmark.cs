using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using FedServerless.Compression;
using FedServerless.Model;
using FedServerless.Numerics;
using FedServerless.Wire;
using FedServerless.Wire.Updates;

namespace FedServerless.Bench;

/// <summary>
/// One core encodes and decodes ten million deltas, more than its caches hold, by every codec in blocks of 65 536. GB/s are 4 bytes a
/// delta a second, whatever the codec makes of them; a plain read and a plain copy of the deltas take turns with them.
/// </summary>
internal static class CodecBenchmark
{
    private const int BlockCoordinates = 65_536;
    private const double Keep = 0.01;

    // What a client does: subtract, choose, encode, hash.
    private static readonly string[] Whole = [UpdateCodecs.Float32, UpdateCodecs.Int8, UpdateCodecs.TopKInt8];

    public static IReadOnlyList<Measurement> Run(IReadOnlyList<string> args)
    {
        var coordinates = args.Number("--parameters", 10_000_000);
        var repeats = args.Number("--repeats", 7);
        var deltas = Deltas(coordinates);
        var decoded = new float[coordinates];
        string[] names = [.. UpdateCodecs.All.Names, "int8 stochastic", "int4 stochastic"];
        var works = new List<Action> { () => Read(deltas), () => deltas.CopyTo(decoded, 0) };
        var lengths = new List<long>();
        foreach (var name in names)
        {
            var codec = UpdateCodecs.Of(Spec(name));
            var blocks = Enumerable.Range(0, Blocks(coordinates)).Select(block => new byte[codec.EncodedLength(Count(block, coordinates)).Max]).ToArray();
            var used = new int[blocks.Length];
            Encode(codec, deltas, blocks, used);
            lengths.Add(used.Sum(length => (long)length));
            works.Add(() => Encode(codec, deltas, blocks, used));
            works.Add(() => Decode(codec, blocks, used, decoded));
        }

        var trained = Array.ConvertAll(deltas, delta => delta + 1);
        var (before, after) = Models(trained, coordinates);
        foreach (var name in Whole)
        {
            var shape = UpdateShape.Create(before.Layout, Spec(name));
            works.Add(() => UpdateEncoder.Encode(shape, default, before, after, Stream.Null));
        }

        var times = Stopclock.TimeInTurns(repeats, [.. works]);
        var bytes = 4.0 * coordinates;
        var rows = new List<Measurement>
        {
            Row("read loop", times[0]),
            Row("copy (read, then written)", times[1]),
        };
        for (var i = 0; i < names.Length; i++)
        {
            rows.Add(Row($"{names[i]}: encode", times[2 + (2 * i)], $"; {bytes / lengths[i]:0.0} × fewer bytes"));
            rows.Add(Row($"{names[i]}: decode", times[3 + (2 * i)]));
        }

        for (var i = 0; i < Whole.Length; i++)
        {
            rows.Add(Row($"{Whole[i]}: whole update, from the models before and after, hashed", times[2 + (2 * names.Length) + i]));
        }

        return [.. rows, .. Numpy(args, coordinates)];

        Measurement Row(string name, (double Fastest, double Median) time, string note = "") =>
            new(name, bytes / time.Fastest / 1e9, "GB/s", $"median {bytes / time.Median / 1e9:0.0}{note}");
    }

    private static UpdateSpec Spec(string name)
    {
        var words = name.Split(' ');
        return new UpdateSpec { Codec = words[0], Keep = Keep, MaskSeed = 1, Rounding = words.Length > 1 ? words[1] : null };
    }

    private static (ModelState Before, ModelState After) Models(float[] trained, int coordinates)
    {
        var layout = TensorLayout.Create([new TensorSpec("w", [coordinates], TensorRole.Parameter)]);
        return (new ModelState(layout, Enumerable.Repeat(1f, coordinates).ToArray(), []), new ModelState(layout, trained, []));
    }

    private static int Blocks(int coordinates) => (coordinates + BlockCoordinates - 1) / BlockCoordinates;

    private static int Count(int block, int coordinates) => Math.Min(BlockCoordinates, coordinates - (block * BlockCoordinates));

    private static void Encode(IUpdateCodec codec, float[] deltas, byte[][] blocks, int[] used)
    {
        var selection = codec is TopKCodec ? TopKSelection.Of(new UpdateDeltas(deltas, []), (int)TopKCodec.Kept(Keep, deltas.Length)) : null;
        for (var block = 0; block < blocks.Length; block++)
        {
            var (first, count) = (block * BlockCoordinates, Count(block, deltas.Length));
            var values = deltas.AsSpan(first, count);
            if (selection is null)
            {
                used[block] = codec.ForBlock(block).Encode(values, blocks[block], block);
                continue;
            }

            selection.Take(selection.NeedsValues ? values : [], first, count, out var indices, out var kept);
            used[block] = ((TopKCodec)codec).Write(indices, kept, count, blocks[block], block);
        }
    }

    private static void Decode(IUpdateCodec codec, byte[][] blocks, int[] used, float[] decoded)
    {
        for (var block = 0; block < blocks.Length; block++)
        {
            if (!codec.ForBlock(block).TryDecode(blocks[block].AsSpan(0, used[block]), decoded.AsSpan(block * BlockCoordinates, Count(block, decoded.Length))))
            {
                throw new InvalidOperationException($"{codec.Name} refuses what it encoded.");
            }
        }
    }

    private static long Read(float[] deltas)
    {
        var total = System.Runtime.Intrinsics.Vector512<long>.Zero;
        foreach (var values in MemoryMarshal.Cast<float, System.Runtime.Intrinsics.Vector512<long>>(deltas))
        {
            total ^= values;
        }

        return total[0];
    }

    private static float[] Deltas(int coordinates)
    {
        var random = new DeterministicRandom(1);
        var deltas = new float[coordinates];
        for (var i = 0; i < deltas.Length; i++)
        {
            deltas[i] = (float)(random.NextGaussian() * 1e-3);
        }

        return deltas;
    }

    /// <summary>The same work by numpy (and torch, where it is), where <c>--numpy PYTHON</c> says which interpreter has it.</summary>
    private static IEnumerable<Measurement> Numpy(IReadOnlyList<string> args, int coordinates)
    {
        if (args.Text("--numpy") is not { } python)
        {
            yield break;
        }

        var start = new ProcessStartInfo(python, [Path.Combine(AppContext.BaseDirectory, "codecs_numpy.py"), $"{coordinates}"]) { RedirectStandardOutput = true };
        using var process = Process.Start(start)!;
        while (process.StandardOutput.ReadLine() is { } line)
        {
            var cells = line.Split('\t');
            yield return new Measurement(cells[0], 4.0 * coordinates / double.Parse(cells[1], CultureInfo.InvariantCulture) / 1e9, "GB/s", "one thread");
        }
    }
}
