using System.Text.Json.Serialization;
using FedServerless.Workflows.Rounds;
using FedServerless.Workflows.Runs;

namespace FedServerless.Workflows;

/// <summary>The one JSON context of workflow messages: references under 4 KB, finite numbers only.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true)]
[JsonSerializable(typeof(RunProgress))]
[JsonSerializable(typeof(RunResult))]
[JsonSerializable(typeof(RunStep))]
[JsonSerializable(typeof(RoundInput))]
[JsonSerializable(typeof(RoundPlanned))]
[JsonSerializable(typeof(CollectionOpened))]
[JsonSerializable(typeof(CollectionCount))]
[JsonSerializable(typeof(RoundSealed))]
[JsonSerializable(typeof(ValidationChunk))]
[JsonSerializable(typeof(RoundAccepted))]
[JsonSerializable(typeof(MeasureInput))]
[JsonSerializable(typeof(RoundDecided))]
[JsonSerializable(typeof(FoldInput))]
[JsonSerializable(typeof(CleanInput))]
[JsonSerializable(typeof(StageInput))]
[JsonSerializable(typeof(StageDone))]
[JsonSerializable(typeof(ReduceInput))]
[JsonSerializable(typeof(ShardReduced))]
[JsonSerializable(typeof(ModelPublished))]
[JsonSerializable(typeof(CloseInput))]
[JsonSerializable(typeof(RoundOutcome))]
[JsonSerializable(typeof(int))]
[JsonSerializable(typeof(long))]
public sealed partial class WorkflowJson : JsonSerializerContext;
