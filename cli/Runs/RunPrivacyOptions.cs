using System.CommandLine;
using System.Globalization;
using FedServerless.Wire;

namespace FedServerless.Cli.Runs;

/// <summary>A run's privacy from options, and what privacy needs of the rest of the specification.</summary>
internal sealed class RunPrivacyOptions
{
    // Clients of a round in expectation where nobody says: that of a spec that says nothing.
    private const double ExpectedCohort = 100;

    private readonly Option<string?> _privacy = new("--privacy")
    {
        Description = $"Train with differential privacy: {string.Join(", ", PrivacyLevels.Names)}, or an epsilon of all rounds such as 2.5. Charged to the population's ledger. See: fed privacy plan",
        HelpName = "LEVEL|E",
    };

    private readonly Option<double?> _noise = new("--privacy-noise") { Description = "A noise multiplier, instead of --privacy.", HelpName = "Z" };
    private readonly Option<long?> _clients = new("--privacy-clients") { Description = "N: how many clients the population has, declared once. Means are over q·N, whoever came.", HelpName = "N" };
    private readonly Option<double?> _rate = new("--privacy-rate") { Description = "q: each client's chance to be in a round. Default: 100/N, at most 1.", HelpName = "Q" };
    private readonly Option<double?> _delta = new("--privacy-delta") { Description = "The chance that the promise fails, for an epsilon. Default: 1/(10N).", HelpName = "D" };
    private readonly Option<double?> _clip = new("--privacy-clip") { Description = "The norm that updates are clipped to; the first one of a level, which adapts it. Default: 1.", HelpName = "C" };

    public RunPrivacyOptions() => _privacy.Validators.Add(result =>
    {
        if (result.Tokens.Count == 1 && !PrivacyLevels.Names.Contains(result.Tokens[0].Value, StringComparer.Ordinal) && Epsilon(result.Tokens[0].Value) is null)
        {
            result.AddError($"--privacy is '{result.Tokens[0].Value}'; expected {string.Join(", ", PrivacyLevels.Names)}, or an epsilon: a number above 0, at most {RunLimits.MaxEpsilon}.");
        }
    });

    /// <summary>Every option, for a command.</summary>
    public IEnumerable<Option> All => [_privacy, _noise, _clients, _rate, _delta, _clip];

    /// <summary>
    /// The specification with what the options say. Where they make a run private, it gets a Poisson sample unless its cohort was chosen, uniform weights and no quarantine by
    /// verdicts: nothing else is legal.
    /// </summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="spec">What other options and the file say.</param>
    /// <param name="isCohortGiven">Whether the size of the cohort was an option: then it is fixed, and priced without amplification.</param>
    public RunSpec Override(ParseResult parsed, RunSpec spec, bool isCohortGiven)
    {
        var (level, noise) = (parsed.GetValue(_privacy), parsed.GetValue(_noise));
        if (spec.Privacy is null && level is null && noise is null)
        {
            return All.FirstOrDefault(option => parsed.GetResult(option) is { Implicit: false }) is { } lonely
                ? throw new CommandException($"{lonely.Name} says how; --privacy or --privacy-noise says that a run is private.", ExitCodes.Usage)
                : spec;
        }

        var clients = parsed.GetValue(_clients) ?? spec.Privacy?.Clients
            ?? throw new CommandException("A private run needs --privacy-clients N: how many clients the population has. Its noise is found for that number.", ExitCodes.Usage);
        var privacy = spec.Privacy ?? new PrivacySpec { Clients = clients };
        if (level is not null || noise is not null)
        {
            var isLevel = PrivacyLevels.Names.Contains(level, StringComparer.Ordinal);
            privacy = privacy with { Level = isLevel ? level : null, Epsilon = level is null || isLevel ? null : Epsilon(level), NoiseMultiplier = noise };
        }

        return spec with
        {
            Privacy = privacy with { Clients = clients, Delta = parsed.GetValue(_delta) ?? privacy.Delta, Clip = parsed.GetValue(_clip) ?? privacy.Clip },
            Selection = Select(spec, parsed.GetValue(_rate), clients, isCohortGiven) with { QuarantineAfter = spec.Privacy is null ? 0 : spec.Selection.QuarantineAfter },
            Aggregation = spec.Privacy is null ? spec.Aggregation with { Weighting = Weightings.Uniform } : spec.Aggregation,
        };
    }

    private static SelectionSpec Select(RunSpec spec, double? rate, long clients, bool isCohortGiven)
    {
        if (rate is null && (isCohortGiven || spec.Privacy is not null || spec.Selection.Kind != Selections.All))
        {
            return spec.Selection;
        }

        return spec.Selection with { Kind = Selections.Poisson, Clients = null, Rate = rate ?? Math.Min(1, ExpectedCohort / Math.Max(1, clients)) };
    }

    private static double? Epsilon(string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var epsilon) && epsilon is > 0 and <= RunLimits.MaxEpsilon ? epsilon : null;
}
