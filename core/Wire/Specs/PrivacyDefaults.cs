using System.Text.Json;

namespace FedServerless.Wire;

/// <summary>
/// Defaults of a private run that differ from those of others, for what the operator left out: a Poisson sample of some hundred clients, uniform weights,
/// no quarantine by verdicts. What the operator wrote stands, and is refused where privacy forbids it.
/// </summary>
internal static class PrivacyDefaults
{
    /// <summary>Clients a round has in expectation where the operator does not say.</summary>
    public const double ExpectedCohort = 100;

    /// <summary>The spec, completed.</summary>
    /// <param name="spec">As read, with the usual defaults.</param>
    /// <param name="written">The JSON it was read from.</param>
    public static RunSpec Fill(RunSpec spec, JsonElement written)
    {
        if (spec.Privacy is not { Clients: >= 1 } privacy)
        {
            return spec;
        }

        var selection = spec.Selection;
        if (!Has(written, "selection", "quarantineAfter"))
        {
            selection = selection with { QuarantineAfter = 0 };
        }

        if (!Has(written, "selection", "kind"))
        {
            selection = selection with { Kind = Selections.Poisson, Rate = selection.Rate ?? Math.Min(1, ExpectedCohort / privacy.Clients) };
        }

        return spec with
        {
            Selection = selection,
            Aggregation = Has(written, "aggregation", "weighting") ? spec.Aggregation : spec.Aggregation with { Weighting = Weightings.Uniform },
        };
    }

    /// <summary>True when the operator wrote the field.</summary>
    internal static bool Has(JsonElement written, string part, string field) =>
        written.TryGetProperty(part, out var inner) && inner.ValueKind == JsonValueKind.Object
        && inner.TryGetProperty(field, out var value) && value.ValueKind != JsonValueKind.Null;
}
