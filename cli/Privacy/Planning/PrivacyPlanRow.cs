using System.Text.Json.Serialization;

namespace FedServerless.Cli.Privacy.Planning;

/// <summary>One setting and its price.</summary>
/// <param name="Clients">N.</param>
/// <param name="SamplingRate">q.</param>
/// <param name="Rounds">T.</param>
/// <param name="Delta">δ.</param>
/// <param name="Level">The level with this ε, or null.</param>
/// <param name="NoiseMultiplier">z; null for no noise, which keeps no promise.</param>
/// <param name="ModelHolder">ε of all rounds against holders of released models, amplified by sampling: the tight upper end. Null without noise.</param>
/// <param name="CohortObserver">ε against who sees cohort, receipts or check-in replies: the same noise at q = 1, the tight upper end. Null without noise.</param>
/// <param name="Charged">ε as a ledger counts it against model holders: Rényi, the improved conversion. Null without noise.</param>
/// <param name="Accuracy">Mean accuracy on held-out digits over the seeds, after the last round; null if not measured.</param>
/// <param name="Lowest">The least of the seeds.</param>
/// <param name="StandardError">Of the mean; null for a single seed.</param>
internal sealed record PrivacyPlanRow(
    long Clients, double SamplingRate, int Rounds, double Delta, string? Level, double? NoiseMultiplier, double? ModelHolder, double? CohortObserver,
    double? Charged, double? Accuracy = null, double? Lowest = null, double? StandardError = null);

/// <summary>The planner's results as JSON.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(List<PrivacyPlanRow>))]
internal sealed partial class PrivacyPlanJson : JsonSerializerContext;
