using System.Text.Json.Serialization;

namespace FedServerless.Gateway.Upkeep;

/// <summary>An attempt at recovery: who wanted it and where the run stood.</summary>
/// <param name="At">When.</param>
/// <param name="By"><see cref="Operator"/> or <see cref="Watchdog"/>.</param>
/// <param name="Closed">Rounds that had an outcome: two attempts with the same number did not help the run on.</param>
public sealed record RecoveryDocument(DateTimeOffset At, string By, int Closed)
{
    /// <summary>By an operator's request.</summary>
    public const string Operator = "operator";

    /// <summary>By the watchdog.</summary>
    public const string Watchdog = "watchdog";
}

/// <summary>What is wrong with a run, as the watchdog saw it first.</summary>
/// <param name="Attempt">The run's newest attempt then.</param>
/// <param name="Symptom">Which kind.</param>
/// <param name="Fingerprint">What would have changed had the run moved.</param>
/// <param name="Since">When it was first seen.</param>
/// <param name="GaveUp">Why the watchdog leaves the run to the operator, or null while it does not.</param>
public sealed record WatchDocument(int Attempt, string Symptom, string Fingerprint, DateTimeOffset Since, string? GaveUp);

/// <summary>How far a run's ended instances are purged.</summary>
/// <param name="Through">Rounds up to and with this one are.</param>
/// <param name="Done">True when the run has ended and nothing of it is left in the engine.</param>
public sealed record PurgeDocument(int Through, bool Done);

/// <summary>The JSON context of upkeep's documents.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    MaxDepth = 4)]
[JsonSerializable(typeof(RecoveryDocument))]
[JsonSerializable(typeof(WatchDocument))]
[JsonSerializable(typeof(PurgeDocument))]
internal sealed partial class UpkeepJson : JsonSerializerContext;
