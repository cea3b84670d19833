using System.Text.Json.Serialization;

namespace FedServerless.Cli.Demo;

/// <summary>What <c>fed demo --json</c> writes last.</summary>
/// <param name="Accuracy">Share of held-out digits that the last version reads right.</param>
/// <param name="Loss">Its mean loss on them.</param>
/// <param name="Rounds">Rounds published.</param>
/// <param name="BytesUp">Bytes of updates that clients sent.</param>
/// <param name="BytesDown">Bytes of models that clients received.</param>
/// <param name="Seconds">From the run's start to its end.</param>
/// <param name="ModelVersion">The last version.</param>
/// <param name="ModelSha256">SHA-256 of its file.</param>
/// <param name="Model">The architecture.</param>
/// <param name="Partition">How the samples were dealt out.</param>
/// <param name="Clients">Edge clients.</param>
/// <param name="Seed">The seed.</param>
/// <param name="Store"><c>files</c> or <c>azurite</c>.</param>
/// <param name="SetupSeconds">From this command's start to the run's: start of the host, enrolments.</param>
/// <param name="Epsilon">ε of the run against holders of released models; null for a demo without privacy.</param>
/// <param name="CohortEpsilon">ε against observers of cohorts; null for a demo without privacy.</param>
internal sealed record DemoResult(
    double Accuracy, double Loss, int Rounds, long BytesUp, long BytesDown, double Seconds, string ModelVersion, string ModelSha256,
    string Model, string Partition, int Clients, long Seed, string Store, double SetupSeconds, double? Epsilon = null, double? CohortEpsilon = null);

/// <summary>JSON of what only this tool writes.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(DemoResult))]
internal sealed partial class DemoJson : JsonSerializerContext;
