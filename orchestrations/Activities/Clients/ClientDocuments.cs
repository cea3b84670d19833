using System.Text.Json.Serialization;

namespace FedServerless.Activities.Clients;

/// <summary>A client as stored. Its id is its name for ever; its key is an attribute.</summary>
/// <param name="Client">Its id.</param>
/// <param name="Population">Where it belongs.</param>
/// <param name="X">Its public key's x, base64url.</param>
/// <param name="Y">Its public key's y, base64url.</param>
/// <param name="Thumbprint">RFC 7638 thumbprint of the key.</param>
/// <param name="EnrolledAt">When this key was enrolled.</param>
/// <param name="State">One of <see cref="ClientStates"/>.</param>
/// <param name="Generation">
/// Grows by one with every enrolment and revocation. A code enrols one generation, so that neither an old code with an old key nor
/// a code from before a revocation brings a lost device back.
/// </param>
/// <param name="Reason">Why it is in quarantine, or null.</param>
public sealed record ClientDocument(
    string Client, string Population, string X, string Y, string Thumbprint, DateTimeOffset EnrolledAt, string State, int Generation,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Reason = null);

/// <summary>The states of a client.</summary>
public static class ClientStates
{
    /// <summary>It may take part.</summary>
    public const string Enrolled = "enrolled";

    /// <summary>It may not, until it enrols again with a new code.</summary>
    public const string Revoked = "revoked";

    /// <summary>It may check in and gets no work, until an operator releases it.</summary>
    public const string Quarantined = "quarantined";
}

/// <summary>A one-time code as stored, under the hash of its secret.</summary>
/// <param name="Client">The client it enrols.</param>
/// <param name="Population">Where it will belong.</param>
/// <param name="ExpiresAt">When an unused code stops working.</param>
/// <param name="Generation">The generation of the client that it makes.</param>
/// <param name="UsedBy">Thumbprint of the key that used it, or null.</param>
public sealed record EnrolmentDocument(string Client, string Population, DateTimeOffset ExpiresAt, int Generation, string? UsedBy);

/// <summary>What one host instance noted of who was seen.</summary>
/// <param name="WrittenAt">When the page was written.</param>
/// <param name="Clients">Unix seconds of each client's last check-in.</param>
public sealed record PresencePage(DateTimeOffset WrittenAt, IReadOnlyDictionary<string, long> Clients)
{
    /// <summary>Bytes a second to the store of those that have measured it; null where none has.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyDictionary<string, double>? Uplinks { get; init; }
}

/// <summary>The JSON context of client documents: camelCase, the same bytes for the same content.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    MaxDepth = 8)]
[JsonSerializable(typeof(ClientDocument))]
[JsonSerializable(typeof(EnrolmentDocument))]
[JsonSerializable(typeof(PresencePage))]
public sealed partial class ClientJson : JsonSerializerContext;
