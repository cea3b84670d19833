using System.Text.Json.Serialization;
using FedServerless.Capacity;

namespace FedServerless.Activities.State;

/// <summary>The one JSON context of stored documents: camelCase, finite numbers only, the same bytes for the same content.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    MaxDepth = 16)]
[JsonSerializable(typeof(RunDocument))]
[JsonSerializable(typeof(ControlDocument))]
[JsonSerializable(typeof(RunOutcomeDocument))]
[JsonSerializable(typeof(ActiveRunDocument))]
[JsonSerializable(typeof(RoundPlan))]
[JsonSerializable(typeof(CohortShardDocument))]
[JsonSerializable(typeof(OpenDocument))]
[JsonSerializable(typeof(ReceiptDocument))]
[JsonSerializable(typeof(SealDocument))]
[JsonSerializable(typeof(VerdictsDocument))]
[JsonSerializable(typeof(AcceptedDocument))]
[JsonSerializable(typeof(LeaseDocument))]
[JsonSerializable(typeof(DecisionDocument))]
[JsonSerializable(typeof(RoundOutcomeDocument))]
[JsonSerializable(typeof(ModelManifest))]
[JsonSerializable(typeof(DownloadsDocument))]
[JsonSerializable(typeof(PointerDocument))]
[JsonSerializable(typeof(EvaluationOpenDocument))]
[JsonSerializable(typeof(EvaluationDocument))]
[JsonSerializable(typeof(EvaluationSealDocument))]
[JsonSerializable(typeof(LogDocument))]
[JsonSerializable(typeof(ResourceUsage))]
[JsonSerializable(typeof(ClipDocument))]
[JsonSerializable(typeof(CommitmentDocument))]
public sealed partial class StoreJson : JsonSerializerContext;
