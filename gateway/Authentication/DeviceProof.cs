using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using FedServerless.Wire;

namespace FedServerless.Gateway.Authentication;

/// <summary>A proof as it arrived: parsed, nothing checked but its form.</summary>
internal sealed class DeviceProof
{
    /// <summary>Longest Authorization header, in bytes.</summary>
    public const int MaxHeaderBytes = 4096;

    private const int MaxJtiLength = 64;

    private DeviceProof(string text, byte[] signed, byte[] signature, string? client, ProofPayload payload) =>
        (Text, Signed, Signature, Client, Payload) = (text, signed, signature, client, payload);

    /// <summary>The compact JWS.</summary>
    public string Text { get; }

    /// <summary>The bytes under the signature.</summary>
    public byte[] Signed { get; }

    /// <summary>The signature, whatever its length.</summary>
    public byte[] Signature { get; }

    /// <summary>The client named as signer; null where the key is in the body.</summary>
    public string? Client { get; }

    /// <summary>What is claimed.</summary>
    public ProofPayload Payload { get; }

    /// <summary>Reads the one Authorization header; null, and why, for anything that is not a proof.</summary>
    public static DeviceProof? TryParse(IReadOnlyList<string?> headers, bool enrols, out string problem)
    {
        problem = $"A device sends one header 'Authorization: {DeviceApi.AuthorizationScheme} PROOF', at most {MaxHeaderBytes} bytes.";
        if (headers.Count != 1 || headers[0] is not { Length: <= MaxHeaderBytes } header
            || !header.StartsWith(DeviceApi.AuthorizationScheme + " ", StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }

        var text = header[(DeviceApi.AuthorizationScheme.Length + 1)..];
        var parts = text.Split('.');
        problem = "The proof is not a compact JWS: three parts in base64url.";
        if (parts.Length != 3 || parts.Any(part => part.Length == 0 || !Base64Url.IsValid(part)))
        {
            return null;
        }

        problem = $"The proof's header is not {{\"typ\":\"{DeviceApi.ProofType}\",\"alg\":\"ES256\",\"kid\":\"CLIENT\"}}, kid left out on enrol only.";
        if (Read(parts[0], ProofJson.Default.ProofHeader) is not { Typ: DeviceApi.ProofType, Alg: "ES256" } jose
            || (enrols ? jose.Kid is not null : !Identifiers.IsValid(jose.Kid)))
        {
            return null;
        }

        problem = "The proof's payload lacks htm, htu, iat, jti, nonce or bh, or is not JSON.";
        if (Read(parts[1], ProofJson.Default.ProofPayload) is not { Jti.Length: > 0 and <= MaxJtiLength } payload)
        {
            return null;
        }

        problem = "";
        var signed = Encoding.ASCII.GetBytes(text[..(parts[0].Length + 1 + parts[1].Length)]);
        return new DeviceProof(text, signed, Base64Url.DecodeFromChars(parts[2]), jose.Kid, payload);
    }

    private static T? Read<T>(string part, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(Base64Url.DecodeFromChars(part), type);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

/// <summary>The protected header. Members it does not know are refused: an unknown <c>crit</c>, <c>jwk</c> or <c>b64</c> would change what is signed.</summary>
internal sealed record ProofHeader(string Typ, string Alg, string? Kid = null);

/// <summary>The payload.</summary>
internal sealed record ProofPayload(string Htm, string Htu, long Iat, string Jti, string Nonce, string Bh);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    AllowDuplicateProperties = false,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    MaxDepth = 2)]
[JsonSerializable(typeof(ProofHeader))]
[JsonSerializable(typeof(ProofPayload))]
internal sealed partial class ProofJson : JsonSerializerContext;
