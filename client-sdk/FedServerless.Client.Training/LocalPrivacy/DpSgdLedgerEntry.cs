using System.Text.Json.Serialization;
using FedServerless.Privacy;

namespace FedServerless.Client.Training;

/// <summary>The first line of a ledger.</summary>
/// <param name="Format">Says what the file is.</param>
/// <param name="Version">Version of the format.</param>
/// <param name="Unit">What is protected.</param>
/// <param name="Adjacency">Which datasets are compared.</param>
/// <param name="Delta">δ of the budget.</param>
/// <param name="Order">The Rényi order declared with it.</param>
internal sealed record DpSgdLedgerHeader(string Format, int Version, string Unit, string Adjacency, double Delta, double Order);

/// <summary>One charge: a round's steps, all of them, before the first coin.</summary>
/// <param name="Run">The run.</param>
/// <param name="Round">The round.</param>
/// <param name="Layout">Digest of the model's layout.</param>
/// <param name="SamplingRate">q.</param>
/// <param name="NoiseMultiplier">z.</param>
/// <param name="GridBits">k of the grid C·2⁻ᵏ.</param>
/// <param name="ClipNorm">C; for people, the price does not depend on it.</param>
/// <param name="Steps">Steps.</param>
internal sealed record DpSgdLedgerEntry(
    string Run, int Round, string Layout, double SamplingRate, double NoiseMultiplier, int GridBits, double ClipNorm, int Steps)
{
    [JsonIgnore]
    public PrivacyEvent Event => new RepeatedEvent(new PoissonGaussianEvent(SamplingRate, NoiseMultiplier, GridBits), Steps);
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    MaxDepth = 2)]
[JsonSerializable(typeof(DpSgdLedgerHeader))]
[JsonSerializable(typeof(DpSgdLedgerEntry))]
internal sealed partial class DpSgdJson : JsonSerializerContext;
