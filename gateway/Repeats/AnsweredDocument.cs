using System.Text.Json.Serialization;

namespace FedServerless.Gateway.Repeats;

/// <summary>What a request with an idempotency key was answered.</summary>
/// <param name="Fingerprint">SHA-256 of route, path, query and body: the same key on another request is a mistake.</param>
/// <param name="Since">When it began.</param>
/// <param name="Status">The status of the answer; 0 until there is one.</param>
/// <param name="Body">The answer, or null where it is not kept.</param>
internal sealed record AnsweredDocument(string Fingerprint, DateTimeOffset Since, int Status, string? Body);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    MaxDepth = 2)]
[JsonSerializable(typeof(AnsweredDocument))]
internal sealed partial class RepeatJson : JsonSerializerContext;
