using System.Text.Json.Serialization;

namespace FedServerless.Privacy;

/// <summary>
/// What a set of releases costs, against both adversaries, with everything named that an ε means nothing without. Pure numbers and words: made by
/// <see cref="PrivacyReports"/>.
/// </summary>
public sealed record PrivacyReport
{
    /// <summary>What it is about: <c>population NAME</c>, <c>run NAME</c> or <c>plan</c>.</summary>
    public required string Subject { get; init; }

    /// <summary>What is protected.</summary>
    public required PrivacyUnit Unit { get; init; }

    /// <summary>Which datasets are compared.</summary>
    public required PrivacyAdjacency Adjacency { get; init; }

    /// <summary>N: how many clients the population is said to have.</summary>
    public required long Clients { get; init; }

    /// <summary>δ of every ε here.</summary>
    public required double Delta { get; init; }

    /// <summary>What was released or may be, in a fixed order.</summary>
    public required IReadOnlyList<ReportedRelease> Releases { get; init; }

    /// <summary>The price of it against holders of released models and against observers of cohorts, in that order.</summary>
    public required IReadOnlyList<AdversaryPrice> Prices { get; init; }

    /// <summary>Where the population's budget stands; null in a report without a ledger.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public BudgetStanding? Budget { get; init; }

    /// <summary>What to know before these numbers are used.</summary>
    public required IReadOnlyList<string> Warnings { get; init; }

    /// <summary>What the noise does not cover.</summary>
    public required IReadOnlyList<PrivacyLeak> Leaks { get; init; }
}

/// <summary>A kind of release and how often it happens.</summary>
/// <param name="Release">With its sampling, rate, noise, adjacency, unit and grid.</param>
/// <param name="Charged">How often it was charged.</param>
/// <param name="Reserved">How often it is reserved or planned.</param>
public sealed record ReportedRelease(NoisyRelease Release, long Charged, long Reserved);

/// <summary>An ε against an adversary.</summary>
/// <param name="Adversary">Against whom.</param>
/// <param name="Amplified">Whether sampling made any of it cheaper.</param>
/// <param name="Epsilon">By Rényi divergences and the improved conversion; 0 where nothing is released.</param>
/// <param name="Order">The order that gave it.</param>
/// <param name="AtGridEnd">That order is the first or last there is: a wider grid might say less.</param>
public sealed record AdversaryPrice(PrivacyAdversary Adversary, bool Amplified, double Epsilon, double Order, bool AtGridEnd)
{
    /// <summary>ε by the classic conversion, where asked for; null else.</summary>
    public double? ClassicEpsilon { get; init; }

    /// <summary>
    /// No ε below this is true of a schedule fixed in advance (<see cref="TightAccountant"/>). Null where it was not, where the bracket was not asked for, or would take too long.
    /// </summary>
    public double? TightLower { get; init; }

    /// <summary>The upper end of that bracket: what to show where there is one.</summary>
    public double? TightUpper { get; init; }

    /// <summary><see cref="Epsilon"/> once all rounds of a run are done; null where none is left, or it is not about a run.</summary>
    public double? EpsilonWhenDone { get; init; }

    /// <summary><see cref="TightUpper"/> once all rounds of a run are done; null where <see cref="EpsilonWhenDone"/> or the bracket is.</summary>
    public double? TightUpperWhenDone { get; init; }
}

/// <summary>Where a budget stands. Its own ε is what is proven once it is spent, however the charges were chosen.</summary>
/// <param name="Budget">The budget that holds.</param>
/// <param name="Entry">The ledger entry that set it.</param>
/// <param name="Operator">Who set it.</param>
/// <param name="SetAt">When.</param>
/// <param name="Reason">Why, or null.</param>
/// <param name="ChargedRatio">Which part of the budget is charged (<see cref="RenyiFilter.Share"/>): equal rounds take equal parts.</param>
/// <param name="SpentRatio">Which part is charged or reserved; above 1 where the budget was lowered below it, at most <see cref="LargestRatio"/>.</param>
/// <param name="Epsilon">ε of what is charged or reserved, as the filter compares it with the budget's. Not in proportion to rounds: the first one costs most of it.</param>
public sealed record BudgetStanding(
    PrivacyBudget Budget, long Entry, string Operator, DateTimeOffset SetAt, string? Reason, double ChargedRatio, double SpentRatio, double Epsilon)
{
    /// <summary>What a larger ratio is shown as: the budget was lowered so far that no comparison makes sense.</summary>
    public const double LargestRatio = 1000;

    /// <summary>Which part of the budget is left, at least 0.</summary>
    [JsonIgnore]
    public double LeftRatio => Math.Max(0, 1 - SpentRatio);
}

/// <summary>Something that the noise does not cover.</summary>
/// <param name="Kind">One of <see cref="PrivacyLeaks"/>.</param>
/// <param name="What">A sentence for people.</param>
public sealed record PrivacyLeak(string Kind, string What);
