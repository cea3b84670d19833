using System.Globalization;
using System.Text;
using FedServerless.Client.Training;

namespace FedServerless.Bench;

/// <summary>
/// What compressing updates and models costs in accuracy: the FedAvg paper's 2NN on IID MNIST, E = 1, B = 10, every series with the same cohorts, shuffles and
/// initial weights. With <c>--clients 10 --cohort 10</c> everybody takes part in every round; with 100 and 10 a client's residual waits ten rounds.
/// </summary>
internal static class MnistCodecBenchmark
{
    public const string Usage =
        "mnist-codecs --series float32,top-k-int8+feedback,… [--clients 10] [--cohort 10] [--rounds 30] [--seeds 5] [--lr 0.1] [--data FOLDER] [--csv FILE]";

    private const double Target = 0.97;

    public static IReadOnlyList<Measurement> Run(IReadOnlyList<string> args)
    {
        var (series, clients, cohort, rounds, seeds, rate, folder, csv) = Parse(args);
        if (MnistFiles.Load(folder) is not var (training, test))
        {
            return [];
        }

        var curves = new StringBuilder("series,clients,cohort,seed,round,accuracy,bytes_up,bytes_down\n");
        var measurements = new List<Measurement>();
        foreach (var one in series)
        {
            var ends = new List<End>();
            for (var seed = 1; seed <= seeds; seed++)
            {
                var federation = new MnistFederation(training, test, Partition.Iid(training.Count, clients, seed), rate, seed, cohort, one);
                ends.Add(RunOne(federation, one, seed, rounds, (clients, cohort), curves));
                Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{one.Name} seed {seed}: {ends[^1].Last:P2}, {ends[^1].Up / 1e6:0.00} MB up"));

                // An hour's work is not lost to whatever comes.
                if (csv is not null)
                {
                    File.WriteAllText(csv, curves.ToString());
                }
            }

            var updates = (double)rounds * cohort;
            var reached = ends.Select(end => end.Reached ?? int.MaxValue).Order().ElementAt(ends.Count / 2);
            var note = string.Create(
                CultureInfo.InvariantCulture,
                $"after {rounds} rounds, mean of {seeds} (sd {Deviation(ends):0.00}); up {ends[0].Up / updates / 1e3:0.00} kB and down {ends[0].Down / updates / 1e3:0.0} kB a client and round; 97 % after {(reached == int.MaxValue ? "more" : $"{reached}")}");
            measurements.Add(new Measurement(one.Name, 100 * ends.Average(end => end.Last), "%", note));
        }

        return measurements;
    }

    private static End RunOne(MnistFederation federation, MnistSeries series, int seed, int rounds, (int Clients, int Cohort) size, StringBuilder curves)
    {
        var (last, reached) = (0.0, default(int?));
        for (var round = 1; round <= rounds; round++)
        {
            last = federation.RunRound();
            reached ??= last >= Target ? round : null;
            curves.Append(string.Create(
                CultureInfo.InvariantCulture,
                $"{series.Name},{size.Clients},{size.Cohort},{seed},{round},{last:0.0000},{federation.Link!.BytesUp},{federation.Link.BytesDown}\n"));
        }

        return new End(last, reached, federation.Link!.BytesUp, federation.Link.BytesDown);
    }

    /// <summary>Of the seeds, in points.</summary>
    private static double Deviation(List<End> ends)
    {
        var mean = ends.Average(end => end.Last);
        return ends.Count == 1 ? 0 : 100 * Math.Sqrt(ends.Sum(end => (end.Last - mean) * (end.Last - mean)) / (ends.Count - 1));
    }

    private static (IReadOnlyList<MnistSeries> Series, int Clients, int Cohort, int Rounds, int Seeds, double Rate, string? Folder, string? Csv) Parse(IReadOnlyList<string> args)
    {
        var arguments = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var i = 0; i < args.Count; i += 2)
        {
            arguments[args[i]] = i + 1 < args.Count ? args[i + 1] : throw new FormatException($"{args[i]} needs a value; usage: {Usage}");
        }

        var series = (Take("--series") ?? throw new FormatException($"--series is missing; usage: {Usage}")).Split(',').Select(MnistSeries.Parse).ToList();
        var parsed = (series, Count("--clients", 10), Count("--cohort", 10), Count("--rounds", 30), Count("--seeds", 5), Rate(), Take("--data"), Take("--csv"));
        return arguments.Count == 0 ? parsed : throw new FormatException($"'{arguments.Keys.First()}' is not understood; usage: {Usage}");

        string? Take(string name) => arguments.Remove(name, out var value) ? value : null;

        int Count(string name, int otherwise) => Take(name) is not { } text ? otherwise
            : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value is >= 1 and <= 100_000 ? value
            : throw new FormatException($"{name} is '{text}'; expected a whole number from 1 to 100000.");

        double Rate() => Take("--lr") is not { } text ? 0.1
            : double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && value is > 0 and <= 1000 ? value
            : throw new FormatException($"--lr is '{text}'; expected a number above 0, at most 1000.");
    }

    /// <summary>How a run ended.</summary>
    /// <param name="Last">Accuracy of the last round, not of the best one.</param>
    /// <param name="Reached">First round at or above the target.</param>
    /// <param name="Up">Bytes of all uplinks.</param>
    /// <param name="Down">Bytes of all downlinks.</param>
    private sealed record End(double Last, int? Reached, long Up, long Down);
}
