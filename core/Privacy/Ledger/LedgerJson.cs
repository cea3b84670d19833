using System.Text.Json.Serialization;

namespace FedServerless.Privacy;

/// <summary>
/// The JSON of ledger entries: camelCase, enums by name, finite numbers only, the same bytes for the same entry. A field it does not know is refused: what a newer
/// version wrote may mean a charge.
/// </summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    AllowDuplicateProperties = false,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    MaxDepth = 8)]
[JsonSerializable(typeof(LedgerEntry))]
public sealed partial class LedgerJson : JsonSerializerContext;
