using System.Text.Json.Serialization;
using FedServerless.Capacity;

namespace FedServerless.Cli.Plans;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(DeploymentPlan))]
internal sealed partial class PlanJson : JsonSerializerContext;
