using System.Globalization;
using FedServerless.Cli.Output;

namespace FedServerless.Bench;

/// <summary>The curves that <see cref="MnistCodecBenchmark"/> wrote, as the table and the figure of the documentation.</summary>
internal static class MnistCodecSummary
{
    private const string Usage = "mnist-codecs-summary --csv FILE,… [--svg FILE] [--least 0.97] [--target 0.97]";

    public static IReadOnlyList<Measurement> Run(IReadOnlyList<string> args)
    {
        var (files, svg, least, target) = Parse(args);
        var curves = files.SelectMany(Read).GroupBy(point => (point.Series, point.Clients, point.Cohort)).Select(group => new Summary(group, target)).ToList();
        if (svg is not null)
        {
            File.WriteAllText(svg, Draw([.. curves.Where(curve => curve.Mean >= least)]));
        }

        return [.. curves.Select(summary => new Measurement(summary.Name, 100 * summary.Mean, "%", summary.Note))];
    }

    /// <summary>Accuracy over uplink bytes; compressed downlinks in the second colour.</summary>
    private static string Draw(List<Summary> curves)
    {
        if (curves.Count == 0)
        {
            throw new FormatException("No series reaches --least.");
        }

        var seeds = curves.Min(curve => curve.Seeds);
        var chart = new Chart(
            string.Create(CultureInfo.InvariantCulture, $"MNIST after {curves[0].Rounds} rounds of {curves[0].Cohort} clients of {curves[0].Clients}, means of {seeds} seeds with deviation"),
            new ChartScale("uplink, kB a client and round", curves.Select(curve => curve.Up / 1e3), IsLogarithmic: true),
            new ChartScale("accuracy, %", curves.SelectMany(curve => new[] { 100 * (curve.Mean - curve.Deviation), 100 * (curve.Mean + curve.Deviation) })));
        foreach (var curve in curves)
        {
            var isLossyDown = curve.Name.Contains("+down=", StringComparison.Ordinal);
            chart.Point((curve.Up / 1e3, 100 * curve.Mean), 100 * curve.Deviation, Chart.Colour(isLossyDown ? 1 : 0), curve.Name);
        }

        return chart.Close();
    }

    private static IEnumerable<Point> Read(string file)
    {
        foreach (var (number, line) in File.ReadLines(file).Index().Skip(1))
        {
            if (line.Split(',') is not [var series, var clients, var cohort, var seed, var round, var accuracy, var up, var down])
            {
                throw new FormatException($"Line {number + 1} of {file} has not the eight columns that mnist-codecs writes.");
            }

            yield return new Point(series, Whole(clients), Whole(cohort), Whole(seed), Whole(round), Number(accuracy), Number(up), Number(down));
        }
    }

    private static int Whole(string text) => (int)Number(text);

    private static double Number(string text) => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value)
        ? value
        : throw new FormatException($"'{text}' is no number.");

    private static (string[] Files, string? Svg, double Least, double Target) Parse(IReadOnlyList<string> args)
    {
        var (files, svg, least, target) = (Array.Empty<string>(), default(string), 0.0, 0.97);
        for (var i = 0; i < args.Count; i += 2)
        {
            var value = i + 1 < args.Count ? args[i + 1] : throw new FormatException($"{args[i]} needs a value; usage: {Usage}");
            switch (args[i])
            {
                case "--csv":
                    files = value.Split(',');
                    break;
                case "--svg":
                    svg = value;
                    break;
                case "--least":
                    least = Number(value);
                    break;
                case "--target":
                    target = Number(value);
                    break;
                default:
                    throw new FormatException($"'{args[i]}' is not understood; usage: {Usage}");
            }
        }

        if (files.FirstOrDefault(file => !File.Exists(file)) is { } missing)
        {
            throw new FormatException($"There is no file {missing}; mnist-codecs --csv writes one.");
        }

        return files.Length > 0 ? (files, svg, least, target) : throw new FormatException($"--csv is missing; usage: {Usage}");
    }

    private sealed record Point(string Series, int Clients, int Cohort, int Seed, int Round, double Accuracy, double BytesUp, double BytesDown);

    /// <summary>One series over its seeds.</summary>
    private sealed class Summary
    {
        public Summary(IGrouping<(string Series, int Clients, int Cohort), Point> points, double target)
        {
            (Name, Clients, Cohort) = points.Key;
            var seeds = points.GroupBy(point => point.Seed).Select(seed => seed.OrderBy(point => point.Round).ToList()).ToList();
            var ends = seeds.Select(seed => seed[^1]).ToList();
            Seeds = seeds.Count;
            Rounds = ends.Min(end => end.Round);
            Mean = ends.Average(end => end.Accuracy);
            Deviation = Seeds == 1 ? 0 : Math.Sqrt(ends.Sum(end => (end.Accuracy - Mean) * (end.Accuracy - Mean)) / (Seeds - 1));
            Up = ends.Average(end => end.BytesUp / (end.Round * Cohort));
            Down = ends.Average(end => end.BytesDown / (end.Round * Cohort));
            var reached = seeds.Select(seed => seed.FirstOrDefault(point => point.Accuracy >= target)?.Round ?? int.MaxValue).Order().ToList();
            Note = string.Create(
                CultureInfo.InvariantCulture,
                $"sd {100 * Deviation:0.00} of {Seeds}; round {Rounds}; a client and round {Up / 1e3:0.00} kB up, {Down / 1e3:0.0} kB down; {100 * target:0.#} % in round {string.Join(", ", reached.Select(round => round == int.MaxValue ? "–" : $"{round}"))}");
        }

        public string Name { get; }

        public int Clients { get; }

        public int Cohort { get; }

        public int Seeds { get; }

        public int Rounds { get; }

        /// <summary>Of the last rounds, from 0 to 1.</summary>
        public double Mean { get; }

        public double Deviation { get; }

        /// <summary>Bytes a client and round.</summary>
        public double Up { get; }

        public double Down { get; }

        public string Note { get; }
    }
}
