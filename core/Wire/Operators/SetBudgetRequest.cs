using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using FedServerless.Privacy;

namespace FedServerless.Wire;

/// <summary>Set or change a population's privacy budget: <c>PUT populations/{population}/budget</c>. The same again changes nothing.</summary>
public sealed record SetBudgetRequest
{
    /// <summary>Longest reason, in characters.</summary>
    public const int MaxReason = LedgerEntry.MaxReason;

    /// <summary>ε, above 0, at most 100.</summary>
    public required double Epsilon { get; init; }

    /// <summary>δ, above 0 and below 1/N; null for 1/(10N).</summary>
    public double? Delta { get; set; }

    /// <summary>N: how many clients the population has, 1 to 1 000 000 000.</summary>
    public required long Clients { get; init; }

    /// <summary>Against whom it is held: one of <see cref="Adversaries"/>. Default: whoever holds released models.</summary>
    public string Adversary { get; set; } = NameOf(PrivacyAdversary.ModelHolder);

    /// <summary>Whether charges may depend on releases: one of <see cref="Adaptivities"/>. Default: they may.</summary>
    public string Adaptivity { get; set; } = NameOf(FilterAdaptivity.Adaptive);

    /// <summary>The order to declare, 1.001 to 1024; null to let the budget, or <see cref="Planned"/>, decide. Fixed once a round was reserved.</summary>
    public double? Order { get; set; }

    /// <summary>A round as they are planned, to declare the order by; null for none.</summary>
    public PlannedRounds? Planned { get; set; }

    /// <summary>Why, at most 1000 characters; to be given when a budget is raised. Stands in every report.</summary>
    public string? Reason { get; set; }

    /// <summary>
    /// Says that the caller knows of runs that trained on the population without privacy. Without it a first budget is refused where there are any; with it they stand in every report.
    /// </summary>
    public bool AcknowledgeUnaccounted { get; set; }

    /// <summary>Legal values of <see cref="Adversary"/>.</summary>
    public static IReadOnlyList<string> Adversaries { get; } = [.. Enum.GetValues<PrivacyAdversary>().Select(NameOf)];

    /// <summary>Legal values of <see cref="Adaptivity"/>.</summary>
    public static IReadOnlyList<string> Adaptivities { get; } = [.. Enum.GetValues<FilterAdaptivity>().Select(NameOf)];

    /// <summary>δ as it holds: what was asked for, or 1/(10N).</summary>
    public double DeltaOrDefault() => Delta ?? 0.1 / Clients;

    /// <summary>Reads and validates a request. Strict: a misspelt field is a problem and never a default.</summary>
    /// <param name="json">UTF-8, at most <see cref="RunLimits.MaxSpecBytes"/>.</param>
    /// <param name="request">The request, legal as a whole; null when false is returned.</param>
    /// <param name="problems">Everything that is wrong; empty when true is returned.</param>
    public static bool TryParse(ReadOnlySpan<byte> json, [NotNullWhen(true)] out SetBudgetRequest? request, out IReadOnlyList<Problem> problems)
    {
        var findings = new Findings("");
        request = RunSpecJson.Read(json, WireJson.Default.SetBudgetRequest, findings, static (parsed, _) => parsed, static parsed => parsed.Validate());
        problems = findings.Problems;
        return request is not null;
    }

    private List<Problem> Validate()
    {
        var findings = new Findings("");
        findings.Above("epsilon", Epsilon, 0, PrivacyBudget.LargestEpsilon);
        findings.Range("clients", Clients, 1, PrivacyBudget.MostClients);
        if (Clients >= 1 && Delta is { } delta && !(delta is > 0 and < 1 && DeltaRule.Judge(delta, Clients) != DeltaVerdict.Meaningless))
        {
            findings.Add("delta", delta, $"a number above 0 and below 1/N = {1.0 / Clients}: publishing one client at random keeps a delta of 1/N");
        }

        findings.OneOf("adversary", Adversary, Adversaries);
        findings.OneOf("adaptivity", Adaptivity, Adaptivities);
        findings.OptionalRange("order", Order, RenyiOrders.Least, RenyiOrders.Largest, required: false);
        if (Planned is { } planned)
        {
            findings.Above("planned.samplingRate", planned.SamplingRate, 0, 1);
            findings.Range("planned.noiseMultiplier", planned.NoiseMultiplier, ReleaseEvent.LeastNoiseMultiplier, ReleaseEvent.LargestNoiseMultiplier);
            findings.Belongs("planned", "both", Order is null, "a budget without an order");
        }

        if (Reason?.Length > MaxReason)
        {
            findings.Add("reason", Reason, $"at most {MaxReason} characters");
        }

        return [.. findings.Problems];
    }

    private static string NameOf<T>(T value)
        where T : struct, Enum => JsonNamingPolicy.CamelCase.ConvertName(value.ToString());
}

/// <summary>What rounds are planned to be.</summary>
public sealed record PlannedRounds
{
    /// <summary>q of a Poisson sample, above 0, at most 1.</summary>
    public required double SamplingRate { get; init; }

    /// <summary>z, 0.01 to 1 000 000.</summary>
    public required double NoiseMultiplier { get; init; }
}
