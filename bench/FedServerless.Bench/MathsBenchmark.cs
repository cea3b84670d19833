using FedServerless.Numerics;
using FedServerless.Optimization;
using FedServerless.Wire;

namespace FedServerless.Bench;

/// <summary>Passes over d = 1 000 000 coordinates that a round makes once or once a client.</summary>
internal static class MathsBenchmark
{
    private const int Coordinates = 1_000_000;
    private const int Repeats = 21;

    public static IReadOnlyList<Measurement> Run(IReadOnlyList<string> args)
    {
        var random = new Random(1);
        float[] x = [.. Enumerable.Range(0, Coordinates).Select(_ => (float)random.NextDouble())];
        float[] y = [.. Enumerable.Range(0, Coordinates).Select(_ => (float)random.NextDouble())];
        double[] delta = [.. y.Select(value => (double)value)];
        var sink = 0.0;
        List<Measurement> measurements =
        [
            Pass("sum of squares", 4, () => sink += Reductions.SumOfSquares(x)),
            Pass("dot product", 8, () => sink += Reductions.Dot(x, y)),
        ];
        foreach (var name in ServerOptimizers.Names)
        {
            var optimizer = ServerOptimizers.Create(new OptimizerSpec { Name = name });
            var state = new float[optimizer.StateNames.Count * Coordinates];
            var (next, weights) = (new float[state.Length], new float[Coordinates]);
            measurements.Add(Pass(name, 16 + (8 * optimizer.StateNames.Count), () => optimizer.TryApply(x, delta, state, weights, next)));
        }

        GC.KeepAlive(sink);
        return measurements;
    }

    private static Measurement Pass(string name, int bytesPerCoordinate, Action work)
    {
        var (fastest, median) = Stopclock.Time(Repeats, work);
        return new(name, median * 1e3, "ms", $"a million coordinates, median of {Repeats}; {bytesPerCoordinate * (double)Coordinates / fastest / 1e9:0.0} GB/s at best");
    }
}
