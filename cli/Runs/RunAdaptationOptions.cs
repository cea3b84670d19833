using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using FedServerless.Compression;
using FedServerless.Wire;

namespace FedServerless.Cli.Runs;

/// <summary>How far a run adapts to its clients, from options: the operator's bounds.</summary>
internal sealed class RunAdaptationOptions
{
    private readonly Option<(int Least, int Most)?> _epochs = Bounds("--adapt-epochs", "Passes over a client's samples, by how fast it trains: 1-5, or one number.");
    private readonly Option<(int Least, int Most)?> _batch = Bounds("--adapt-batch", "Samples a local step, by the memory of the client: 8-64, or one number.");
    private readonly Option<string[]?> _codecs = Codecs(
        "Codecs that a round may use, by its clients' uplinks, the one to prefer first: float32,int8,top-k-int8. Without --codec the first is used until enough have measured theirs.");

    private readonly Option<TimeSpan?> _target = Duration("--adapt-target", "Time that a client's part in a round should take, transfers included: 90s, 15m or 12h. Default: half the deadline.");
    private readonly Option<TimeSpan?> _interval = Duration("--adapt-interval", "Shortest time between two rounds of a client, at most 1d.");
    private readonly Option<long?> _bytes = new("--adapt-bytes-per-day") { Description = "Most bytes of models and updates that a client moves in a day (UTC); its rounds are spread over the day.", HelpName = "N" };
    private readonly Option<int?> _minPart = new("--min-part-bytes") { Description = "Clients cut their updates into parts of this to 8 MiB, as their links allow: 262144 or more.", HelpName = "N" };

    /// <summary>An option for the codecs that a round may use; an empty list where it is not given.</summary>
    public static Option<string[]?> Codecs(string description) => new("--adapt-codecs") { Description = description, HelpName = "NAME,…", CustomParser = Names };

    /// <summary>Every option, for a command.</summary>
    public IEnumerable<Option> All => [_epochs, _batch, _codecs, _target, _interval, _bytes, _minPart];

    /// <summary>The specification with what the options say.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="spec">What other options and the file say.</param>
    /// <param name="isCodecGiven">Whether the codec was an option: then it stands, and must be among those of a round.</param>
    public RunSpec Override(ParseResult parsed, RunSpec spec, bool isCodecGiven)
    {
        spec = spec with { Update = spec.Update with { MinPartBytes = parsed.GetValue(_minPart) ?? spec.Update.MinPartBytes } };
        if (!new Option[] { _epochs, _batch, _codecs, _target, _interval, _bytes }.Any(option => parsed.GetResult(option) is { Implicit: false }))
        {
            return spec;
        }

        // The parser gives an empty list for one that was not there.
        var codecs = parsed.GetValue(_codecs) is { Length: > 0 } named ? named : null;
        var (policy, epochs, batch) = (spec.Adaptation ?? new AdaptationSpec(), parsed.GetValue(_epochs), parsed.GetValue(_batch));
        var usual = codecs is null || isCodecGiven || codecs.Contains(spec.Update.Codec, StringComparer.Ordinal) ? spec.Update.Codec : codecs[0];
        return spec with
        {
            Update = spec.Update with { Codec = usual },
            Adaptation = policy with
            {
                MinEpochs = epochs?.Least ?? policy.MinEpochs,
                MaxEpochs = epochs?.Most ?? policy.MaxEpochs,
                MinBatchSize = batch?.Least ?? policy.MinBatchSize,
                MaxBatchSize = batch?.Most ?? policy.MaxBatchSize,
                Codecs = codecs ?? policy.Codecs,
                TargetSeconds = parsed.GetValue(_target)?.TotalSeconds ?? policy.TargetSeconds,
                MinIntervalSeconds = parsed.GetValue(_interval)?.TotalSeconds ?? policy.MinIntervalSeconds,
                MaxBytesPerDay = parsed.GetValue(_bytes) ?? policy.MaxBytesPerDay,
            },
        };
    }

    private static Option<TimeSpan?> Duration(string name, string description) =>
        new(name) { Description = description, HelpName = "TIME", CustomParser = result => Durations.Read(result, name) };

    private static Option<(int Least, int Most)?> Bounds(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "MIN-MAX",
        CustomParser = result =>
        {
            var text = result.Tokens[0].Value;
            var parts = text.Split('-');
            if (parts.Length <= 2 && Number(parts[0]) is { } least && Number(parts[^1]) is { } most && least <= most)
            {
                return (least, most);
            }

            result.AddError($"{name} is '{text}'; expected a least and a most, such as 1-5, or one number.");
            return null;
        },
    };

    private static int? Number(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static string[]? Names(ArgumentResult result)
    {
        var names = result.Tokens[0].Value.Split(',', StringSplitOptions.TrimEntries);
        if (names.FirstOrDefault(name => !UpdateCodecs.All.Names.Contains(name, StringComparer.Ordinal)) is not { } wrong)
        {
            return names;
        }

        result.AddError($"--adapt-codecs names '{wrong}'; expected {string.Join(", ", UpdateCodecs.All.Names)}, with commas between.");
        return null;
    }
}
