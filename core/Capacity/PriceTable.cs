using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;
using FedServerless.Wire;

namespace FedServerless.Capacity;

/// <summary>
/// What things cost, from configuration. The defaults are examples, not checked against a price list, to be replaced by one's
/// own. Free grants are left out, and so is what is not measured: capacity, logs, what a scheduler costs by the month.
/// </summary>
public sealed record PriceTable
{
    /// <summary>Longest JSON of a table, in bytes.</summary>
    public const int MaxBytes = 64 << 10;

    /// <summary>Whose prices these are, with their date; shown next to every amount.</summary>
    public string Name { get; set; } = "example prices, East US, to be replaced";

    /// <summary>The currency, three capital letters.</summary>
    public string Currency { get; set; } = "USD";

    /// <summary>Of 10 000 writes. Default 0.05: blob storage, hot, LRS.</summary>
    public double WritesPer10K { get; set; } = 0.05;

    /// <summary>Of 10 000 reads. Default 0.004.</summary>
    public double ReadsPer10K { get; set; } = 0.004;

    /// <summary>Of 10 000 pages of a listing. Default 0.05.</summary>
    public double ListsPer10K { get; set; } = 0.05;

    /// <summary>Of 10 000 deletions. Default 0.</summary>
    public double DeletesPer10K { get; set; }

    /// <summary>Of a GB that leaves the region. Default 0.087.</summary>
    public double EgressPerGb { get; set; } = 0.087;

    /// <summary>Of a GB-second. Default 0.000026: Functions, Flex Consumption, on demand.</summary>
    public double GbSecond { get; set; } = 0.000026;

    /// <summary>Of a million executions. Default 0.40.</summary>
    public double ExecutionsPerMillion { get; set; } = 0.40;

    /// <summary>
    /// Of a million engine actions. Default 4: the storage backend at some ten queue and table transactions an action, an estimate. For
    /// the Durable Task Scheduler take its price.
    /// </summary>
    public double EngineActionsPerMillion { get; set; } = 4;

    /// <summary>What that costs, in <see cref="Currency"/>.</summary>
    public double CostOf(ResourceUsage usage)
    {
        ArgumentNullException.ThrowIfNull(usage);
        const double Gb = 1 << 30;
        return (((usage.Writes * WritesPer10K) + (usage.Reads * ReadsPer10K) + (usage.Lists * ListsPer10K) + (usage.Deletes * DeletesPer10K)) / 1e4)
            + (usage.EgressBytes / Gb * EgressPerGb)
            + (usage.GbSeconds * GbSecond)
            + (((usage.Executions * ExecutionsPerMillion) + (usage.EngineActions * EngineActionsPerMillion)) / 1e6);
    }

    /// <summary>Reads a table: JSON with any of the properties, in camel case; what is left out has its default.</summary>
    /// <param name="json">UTF-8, at most <see cref="MaxBytes"/>.</param>
    /// <param name="table">The table; null when false is returned.</param>
    /// <param name="problems">Everything that is wrong; empty when true is returned.</param>
    public static bool TryParse(ReadOnlySpan<byte> json, [NotNullWhen(true)] out PriceTable? table, out IReadOnlyList<Problem> problems)
    {
        table = null;
        if (json.Length > MaxBytes)
        {
            problems = [new Problem("$", $"{json.Length} bytes", $"at most {MaxBytes} bytes")];
            return false;
        }

        try
        {
            var read = JsonSerializer.Deserialize(json, PriceJson.Default.PriceTable);
            problems = read is null ? [new Problem("$", "null", "an object")] : read.Problems();
            table = problems.Count == 0 ? read : null;
        }
        catch (JsonException exception)
        {
            problems = [new Problem(exception.Path ?? "$", null, exception.Message)];
        }

        return table is not null;
    }

    private List<Problem> Problems()
    {
        var problems = new List<Problem>();
        if (string.IsNullOrWhiteSpace(Name) || Name.Length > 200)
        {
            problems.Add(new("name", $"{Name?.Length ?? 0} characters", "1 to 200 characters"));
        }

        if (Currency is not { Length: 3 } || Currency.AsSpan().ContainsAnyExceptInRange('A', 'Z'))
        {
            problems.Add(new("currency", Currency is { Length: > 8 } ? Currency[..8] : Currency, "three capital letters, such as USD"));
        }

        ReadOnlySpan<(string Field, double Price)> prices =
        [
            ("writesPer10K", WritesPer10K), ("readsPer10K", ReadsPer10K), ("listsPer10K", ListsPer10K), ("deletesPer10K", DeletesPer10K),
            ("egressPerGb", EgressPerGb), ("gbSecond", GbSecond), ("executionsPerMillion", ExecutionsPerMillion),
            ("engineActionsPerMillion", EngineActionsPerMillion),
        ];
        foreach (var (field, price) in prices)
        {
            if (!(price >= 0) || price > 1e6)
            {
                problems.Add(new(field, $"{price}", "0 to 1 000 000"));
            }
        }

        return problems;
    }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    AllowDuplicateProperties = false,
    RespectNullableAnnotations = true)]
[JsonSerializable(typeof(PriceTable))]
internal sealed partial class PriceJson : JsonSerializerContext;
