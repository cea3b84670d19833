using System.Text.Json.Serialization;

namespace FedServerless.Activities.Clients;

/// <summary>
/// What a client's rounds say of it. Reliability is whether it delivers when it is asked, reputation whether what it delivers is
/// used: exponential means that decay with new rounds and recover with good ones. docs/concepts/robustness.md has the formula.
/// </summary>
/// <param name="Reliability">In [0, 1]; 1 at first.</param>
/// <param name="Reputation">In [0, 1]; 1 at first.</param>
/// <param name="Invited">Rounds whose cohort it was in.</param>
/// <param name="Delivered">Rounds whose seal has its receipt.</param>
/// <param name="Refused">Updates that validation refused.</param>
/// <param name="RefusedInRow">Of those, since the last one that was not.</param>
/// <param name="History">The last rounds, oldest first, at most <see cref="MaxHistory"/>.</param>
public sealed record ClientStanding(
    double Reliability, double Reputation, int Invited, int Delivered, int Refused, int RefusedInRow, IReadOnlyList<StandingEvent> History)
{
    /// <summary>What a new round weighs against all before it.</summary>
    public const double Pace = 0.1;

    /// <summary>What an update earns that a robust rule left out, or that points against what the rule made of all: honest ones do, too.</summary>
    public const double LeftOutMark = 0.5;

    /// <summary>Rounds remembered one by one.</summary>
    public const int MaxHistory = 20;

    /// <summary>Of a client whom no round has asked yet.</summary>
    public static ClientStanding Fresh { get; } = new(1, 1, 0, 0, 0, 0, []);

    /// <summary>After one more round.</summary>
    public ClientStanding After(StandingEvent round)
    {
        ArgumentNullException.ThrowIfNull(round);
        var delivered = round.What != StandingEvents.Missing;
        double? mark = round.What switch
        {
            StandingEvents.Included => 1,
            StandingEvents.LeftOut or StandingEvents.Opposed => LeftOutMark,
            StandingEvents.Refused => 0,
            _ => null,
        };
        var refused = round.What == StandingEvents.Refused;
        return new ClientStanding(
            Mean(Reliability, delivered ? 1 : 0),
            mark is { } earned ? Mean(Reputation, earned) : Reputation,
            Invited + 1,
            Delivered + (delivered ? 1 : 0),
            Refused + (refused ? 1 : 0),
            refused ? RefusedInRow + 1 : mark is null ? RefusedInRow : 0,
            [.. History.TakeLast(MaxHistory - 1), round]);
    }

    private static double Mean(double before, double now) => ((1 - Pace) * before) + (Pace * now);
}

/// <summary>What became of a client in a round.</summary>
/// <param name="Run">The run.</param>
/// <param name="Round">The round.</param>
/// <param name="What">One of <see cref="StandingEvents"/>.</param>
/// <param name="Reason">Why its update was refused, or null.</param>
public sealed record StandingEvent(string Run, int Round, string What, string? Reason);

/// <summary>What can become of a client in a round.</summary>
public static class StandingEvents
{
    /// <summary>Its update is in the model.</summary>
    public const string Included = "included";

    /// <summary>Its update is in the model, and points against what the rule made of all: the cosine between them is below 0.</summary>
    public const string Opposed = "opposed";

    /// <summary>A robust rule left its update out.</summary>
    public const string LeftOut = "left-out";

    /// <summary>Validation refused its update.</summary>
    public const string Refused = "refused";

    /// <summary>It delivered, and the round published nothing.</summary>
    public const string Unused = "unused";

    /// <summary>It was asked and the seal has no receipt of it.</summary>
    public const string Missing = "missing";
}

/// <summary>A shard of a population's standings; compare-and-swap.</summary>
/// <param name="Applied">For each run the last round that is in these standings.</param>
/// <param name="Clients">By client id.</param>
public sealed record StandingsDocument(IReadOnlyDictionary<string, int> Applied, IReadOnlyDictionary<string, ClientStanding> Clients);

/// <summary>The JSON context of standings.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    MaxDepth = 8)]
[JsonSerializable(typeof(StandingsDocument))]
internal sealed partial class StandingJson : JsonSerializerContext;
