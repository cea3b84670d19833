using System.Globalization;

namespace FedServerless.Bench;

/// <summary>What to run of the FedAvg paper's experiment.</summary>
internal sealed record MnistOptions
{
    public const string Usage =
        "mnist [--lr 0.1,0.2] [--seeds 3] [--split iid|shards] [--rounds-max N] [--data FOLDER] [--csv FILE]";

    /// <summary>Learning rates, each a series of its own. Default 0.1.</summary>
    public IReadOnlyList<double> LearningRates { get; init; } = [0.1];

    /// <summary>Runs of each series, with seeds 1, 2, …. Default 3.</summary>
    public int Seeds { get; init; } = 3;

    /// <summary>True for two label shards a client, false for IID.</summary>
    public bool Shards { get; init; }

    /// <summary>Rounds after which a run gives up. Default 200 for IID, 1500 for shards.</summary>
    public int RoundsMax { get; init; }

    /// <summary>Folder of the four MNIST files; null for <c>../shared/data/mnist</c> beside the repository.</summary>
    public string? Folder { get; init; }

    /// <summary>File that takes every run's curve; null for none.</summary>
    public string? Csv { get; init; }

    /// <exception cref="FormatException">An argument is unknown or its value is not legal.</exception>
    public static MnistOptions Parse(IReadOnlyList<string> args)
    {
        var options = new MnistOptions();
        for (var i = 0; i < args.Count; i += 2)
        {
            var value = i + 1 < args.Count ? args[i + 1] : throw new FormatException($"{args[i]} needs a value; usage: {Usage}");
            options = args[i] switch
            {
                "--lr" => options with { LearningRates = [.. value.Split(',').Select(rate => Positive(args[i], rate))] },
                "--seeds" => options with { Seeds = Count(args[i], value) },
                "--split" when value is "iid" or "shards" => options with { Shards = value == "shards" },
                "--rounds-max" => options with { RoundsMax = Count(args[i], value) },
                "--data" => options with { Folder = value },
                "--csv" => options with { Csv = value },
                _ => throw new FormatException($"'{args[i]} {value}' is not understood; usage: {Usage}"),
            };
        }

        return options.RoundsMax > 0 ? options : options with { RoundsMax = options.Shards ? 1500 : 200 };
    }

    private static double Positive(string name, string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && value is > 0 and <= 1000
            ? value
            : throw new FormatException($"{name} is '{text}'; expected numbers above 0, at most 1000.");

    private static int Count(string name, string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value is >= 1 and <= 100_000
            ? value
            : throw new FormatException($"{name} is '{text}'; expected a whole number from 1 to 100000.");
}
