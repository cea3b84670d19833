using System.Text.Json;

namespace FedServerless.Bench;

/// <summary>Finds the benchmark, runs it and prints a table, or with <c>--json</c> one JSON object a line.</summary>
internal static class BenchmarkRunner
{
    private static readonly JsonSerializerOptions CamelCase = new(JsonSerializerDefaults.Web);

    public static int Run(IReadOnlyList<Benchmark> benchmarks, string[] args)
    {
        var json = args.Contains("--json");
        string[] rest = [.. args.Where(arg => arg != "--json")];
        if (rest.Length == 0 || benchmarks.FirstOrDefault(known => known.Name == rest[0]) is not { } benchmark)
        {
            Console.Error.WriteLine("usage: FedServerless.Bench NAME [--json]");
            foreach (var known in benchmarks)
            {
                Console.Error.WriteLine($"  {known.Name,-16} {known.Summary}");
            }

            return 2;
        }

        IReadOnlyList<Measurement> measurements;
        try
        {
            measurements = benchmark.Run(rest[1..]);
        }
        catch (FormatException illegal)
        {
            Console.Error.WriteLine(illegal.Message);
            return 2;
        }

        if (json)
        {
            foreach (var measurement in measurements)
            {
                Console.WriteLine(JsonSerializer.Serialize(new { benchmark = benchmark.Name, measurement.Name, measurement.Value, measurement.Unit, measurement.Note }, CamelCase));
            }

            return 0;
        }

        var width = measurements.Select(measurement => measurement.Name.Length).DefaultIfEmpty().Max();
        foreach (var measurement in measurements)
        {
            Console.WriteLine($"{measurement.Name.PadRight(width)}  {measurement.Value,10:0.000} {measurement.Unit,-8} {measurement.Note}".TrimEnd());
        }

        return 0;
    }
}
