using System.Text.Json.Serialization;
using FedServerless.Wire;

namespace FedServerless.Privacy;

/// <summary>
/// One entry of a population's ledger: a create-once object whose name is its number and that carries the hash of the entry before it
/// (docs/concepts/privacy.md, "The ledger").
/// </summary>
public sealed record LedgerEntry
{
    /// <summary>The format this code writes and the newest it reads.</summary>
    public const int CurrentFormat = 1;

    /// <summary>The largest number: names have eight digits.</summary>
    public const long LargestNumber = 99_999_999;

    /// <summary>The longest <see cref="Reason"/>, in characters.</summary>
    public const int MaxReason = 1000;

    /// <summary>The format, from 1.</summary>
    public required int Format { get; init; }

    /// <summary>Whose ledger it is: an entry of another population is no part of this chain.</summary>
    public required string Population { get; init; }

    /// <summary>From 1, without gaps.</summary>
    public required long Number { get; init; }

    /// <summary>SHA-256 of the bytes of the entry before; null in the first.</summary>
    public Digest? Previous { get; init; }

    /// <summary>One of <see cref="LedgerEntryKinds"/>.</summary>
    public required string Kind { get; init; }

    /// <summary>When it was written, by the writer's clock; for people.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>The run of a reservation, a charge or a release; in a note the run it is about, or null.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Run { get; init; }

    /// <summary>The round of a reservation, a charge or a release, from 1; else null.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Round { get; init; }

    /// <summary>What a reservation is for; else null.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public NoisyRelease? Release { get; init; }

    /// <summary>The budget of a budget entry; else null.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public PrivacyBudget? Budget { get; init; }

    /// <summary>Who set a budget or wrote a note; else null.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Operator { get; init; }

    /// <summary>Why, in the operator's words, at most <see cref="MaxReason"/> characters; never null in a note.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Reason { get; init; }

    /// <summary>In a budget entry the runs that trained on the population without privacy before it, acknowledged; null for none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? Unaccounted { get; init; }
}
