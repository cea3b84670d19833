using System.Globalization;

namespace FedServerless.Bench;

/// <summary>The federation whose rounds are measured.</summary>
internal sealed record RoundOptions
{
    public const string Usage =
        "round [--clients 10] [--parameters 1000000] [--rounds 10] [--codec NAME] [--azurite] [--no-flush]";

    /// <summary>Clients, all of them in every round. Default 10.</summary>
    public int Clients { get; init; } = 10;

    /// <summary>Parameters of the model, all in one tensor. Default 1 000 000.</summary>
    public int Parameters { get; init; } = 1_000_000;

    /// <summary>Rounds to publish. The first one compiles the host's code and is left out of the medians. Default 10.</summary>
    public int Rounds { get; init; } = 10;

    /// <summary>How updates travel. Default float32.</summary>
    public string Codec { get; init; } = "float32";

    /// <summary>True keeps the objects in Azurite. Default false, files.</summary>
    public bool Azurite { get; init; }

    /// <summary>True when a write waits for the disk, as a host does unless told otherwise. Default true.</summary>
    public bool FlushToDisk { get; init; } = true;

    /// <exception cref="FormatException">An argument is unknown or its value is not legal.</exception>
    public static RoundOptions Parse(IReadOnlyList<string> args)
    {
        var options = new RoundOptions();
        for (var i = 0; i < args.Count; i++)
        {
            options = args[i] switch
            {
                "--azurite" => options with { Azurite = true },
                "--no-flush" => options with { FlushToDisk = false },
                "--clients" => options with { Clients = Count(args, ++i, 1000) },
                "--parameters" => options with { Parameters = Count(args, ++i, 100_000_000) },
                "--rounds" => options with { Rounds = Count(args, ++i, 10_000) },
                "--codec" => options with { Codec = Value(args, ++i) },
                _ => throw new FormatException($"'{args[i]}' is not understood; usage: {Usage}"),
            };
        }

        return options;
    }

    private static string Value(IReadOnlyList<string> args, int at) =>
        at < args.Count ? args[at] : throw new FormatException($"{args[at - 1]} needs a value; usage: {Usage}");

    private static int Count(IReadOnlyList<string> args, int at, int most) =>
        int.TryParse(Value(args, at), NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value >= 1 && value <= most
            ? value
            : throw new FormatException($"{args[at - 1]} is '{args[at]}'; expected a whole number from 1 to {most}.");
}
