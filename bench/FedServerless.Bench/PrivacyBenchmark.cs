using FedServerless.Privacy;

namespace FedServerless.Bench;

/// <summary>What privacy costs in time: an admission, a report, a round's noise.</summary>
internal static class PrivacyBenchmark
{
    private const int Samples = 1_000_000;
    private const double Delta = 1e-5;

    public static IReadOnlyList<Measurement> Run(IReadOnlyList<string> args)
    {
        var sink = 0.0;
        List<Measurement> measurements =
        [
            Time("10 000 equal steps", 11, "ms", "composed one by one, and their epsilon; at most 50", () => sink += Steps(10_000, _ => new(0.01, 1.1))),
            Time("1000 distinct steps", 3, "ms", "rate and noise all different, and their epsilon; at most 5000", () => sink += Steps(1000, i => new(0.001 + (i * 1e-4), 0.6 + (i * 1e-3)))),
            Time("calibration", 3, "ms", "noise for epsilon 2, rate 0.035, 100 rounds", () => sink += NoiseCalibration.Rounds(new(2, Delta), 0.035, 100)),
            Time("bracket, 100 rounds", 5, "ms", "tight accountant at its default precision, rate 0.035, noise 1.2", () => sink += Tight(0.035, 1.2, 100)),
            Time("bracket, 10 000 rounds", 3, "ms", "the same, rate 0.001, noise 0.8", () => sink += Tight(0.001, 0.8, 10_000)),
        ];
        foreach (var bits in (ReadOnlySpan<int>)[6, 12, 16, 20, 30])
        {
            var noise = DiscreteGaussian.OnGrid(1.1, bits);
            var values = new long[Samples];
            measurements.Add(Time($"noise, deviation 1.1·2^{bits}", 5, "ms", "a million exact samples from the system's entropy; at most 500", () => noise.Fill(values)));
        }

        var random = new Random(1);
        float[] update = [.. Enumerable.Range(0, Samples).Select(_ => (float)(random.NextDouble() - 0.5))];
        var (grid, sums) = (new UpdateGrid(1, UpdateGrid.BitsFor(Samples)), new long[Samples]);
        var factor = grid.Factor(300);
        measurements.Add(Time("grid, sum of squares", 11, "ms", "a million coordinates, one client", () => sink += (double)UpdateGrid.SumOfSquares(update, factor)));
        measurements.Add(Time("grid, accumulate", 11, "ms", "a million coordinates, one client", () => UpdateGrid.Accumulate(update, new(factor, 1, 1), sums)));
        GC.KeepAlive(sink);
        return measurements;
    }

    private static double Steps(int count, Func<int, PoissonGaussianEvent> step)
    {
        var accountant = new RenyiAccountant();
        for (var i = 0; i < count; i++)
        {
            accountant.Compose(step(i));
        }

        return accountant.Spend(Delta).Epsilon;
    }

    private static double Tight(double rate, double noise, long rounds) =>
        new TightAccountant().Epsilon(new RepeatedEvent(new PoissonGaussianEvent(rate, noise), rounds), Delta).Upper;

    private static Measurement Time(string name, int repeats, string unit, string note, Action work)
    {
        var (fastest, median) = Stopclock.Time(repeats, work);
        return new(name, median * 1e3, unit, $"{note}; fastest {fastest * 1e3:0.0}");
    }
}
