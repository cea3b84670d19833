using System.Text.Json.Serialization;
using FedServerless.Cli.Output;

namespace FedServerless.Cli.Laboratory;

/// <summary>One rule under one attack on one partition: means over the seeds.</summary>
internal sealed record AttackCell(
    string Partition, string Rule, string Attack, double? Accuracy, double? Lowest, double? Backdoor, double? WorstServed, string? Refusal, string? Expected)
{
    /// <summary>The cell in a table.</summary>
    [JsonIgnore]
    public string Text => Refusal is not null ? "refused" : Columns.Number(Accuracy, 3) + (Expected is null ? "" : "~");

    public static AttackCell Of(string partition, string rule, string attack, IReadOnlyList<AttackOutcome> outcomes)
    {
        var refusal = outcomes.Select(outcome => outcome.Refusal).FirstOrDefault(reason => reason is not null);
        var expected = KnownLimits.Of(rule, attack);
        return refusal is not null
            ? new AttackCell(partition, rule, attack, null, null, null, null, refusal, expected)
            : new AttackCell(
                partition, rule, attack, outcomes.Average(outcome => outcome.Accuracy!.Value), outcomes.Min(outcome => outcome.Accuracy!.Value),
                outcomes.Average(outcome => outcome.Backdoor!.Value), outcomes.Average(outcome => outcome.WorstServed!.Value), null, expected);
    }
}

/// <summary>The laboratory's results as JSON.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(List<AttackCell>))]
internal sealed partial class AttackJson : JsonSerializerContext;
