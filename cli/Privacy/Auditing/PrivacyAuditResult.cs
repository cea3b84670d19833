using System.Text.Json.Serialization;

namespace FedServerless.Cli.Privacy.Auditing;

/// <summary>What an audit found.</summary>
/// <param name="Audited">What ran: <see cref="Memory"/> or <see cref="Host"/>.</param>
/// <param name="Canaries">m.</param>
/// <param name="Included">How many of them the coins let in.</param>
/// <param name="Guesses">r, fixed beforehand.</param>
/// <param name="Correct">v.</param>
/// <param name="Rounds">T.</param>
/// <param name="SamplingRate">q.</param>
/// <param name="NoiseMultiplier">z that the mechanism claims.</param>
/// <param name="Delta">δ.</param>
/// <param name="ClaimedEpsilon">ε of all rounds that follows from the claim: the tight upper end.</param>
/// <param name="LowerBound">One-sided 95 % lower bound of the ε that the mechanism really has.</param>
/// <param name="LargestShowable">What m canaries could have shown at most.</param>
/// <param name="LargestGuessable">What r guesses could have shown at most.</param>
internal sealed record PrivacyAuditResult(
    string Audited, int Canaries, int Included, int Guesses, int Correct, int Rounds, double SamplingRate, double NoiseMultiplier, double Delta,
    double ClaimedEpsilon, double LowerBound, double LargestShowable, double LargestGuessable)
{
    /// <summary>The mechanism of the core, in this process.</summary>
    public const string Memory = "memory";

    /// <summary>Private rounds of a real host, with real clients over HTTP.</summary>
    public const string Host = "host";

    /// <summary>The claim is false, but for a chance of 5 % at most.</summary>
    public bool IsRefuted => LowerBound > ClaimedEpsilon;
}

/// <summary>The result as JSON.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(PrivacyAuditResult))]
internal sealed partial class PrivacyAuditJson : JsonSerializerContext;
