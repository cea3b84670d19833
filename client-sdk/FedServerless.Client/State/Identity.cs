using System.Text.Json.Serialization;
using FedServerless.Client.Adaptivity;

namespace FedServerless.Client.State;

/// <summary>Who this device is, as kept on its disk.</summary>
/// <param name="Version">Version of this file's format.</param>
/// <param name="Server">The server's base address.</param>
/// <param name="Client">The client id.</param>
/// <param name="Population">The population; null until the server has answered.</param>
/// <param name="CodeHash">SHA-256 of the enrolment code: tells a repeated enrolment from a new one without keeping the code.</param>
/// <param name="PrivateKey">The P-256 key, PKCS#8 PEM.</param>
internal sealed record Identity(int Version, string Server, string Client, string? Population, string CodeHash, string PrivateKey)
{
    public const int CurrentVersion = 1;
}

/// <summary>What is known of one piece of work once it is settled.</summary>
/// <param name="State">How it ended: a receipt state, or <c>gave-up</c>.</param>
/// <param name="Reason">Why it was given up.</param>
internal sealed record Settlement(string State, string? Reason)
{
    public const string GaveUp = "gave-up";
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    MaxDepth = 4,
    WriteIndented = true)]
[JsonSerializable(typeof(Identity))]
[JsonSerializable(typeof(Settlement))]
[JsonSerializable(typeof(DayRecord))]
[JsonSerializable(typeof(MeterRecord))]
internal sealed partial class StateJson : JsonSerializerContext;
