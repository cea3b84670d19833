using System.Text.Json.Serialization;
using FedServerless.Privacy;
using FedServerless.Wire;

namespace FedServerless.Cli.Privacy.Accounts;

/// <summary>A report, and the state of the ledger it was read from.</summary>
/// <param name="Report">What the server says.</param>
/// <param name="Population">Whose ledger.</param>
/// <param name="LedgerEntries">Its entries; the server checked every one against the hash in the next before it answered.</param>
/// <param name="LedgerHead">SHA-256 of the last entry, or null for none: kept elsewhere, it shows whether entries were taken away.</param>
internal sealed record PrivacyAccount(PrivacyReport Report, string Population, long LedgerEntries, Digest? LedgerHead);

/// <summary>The account as JSON.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(PrivacyAccount))]
internal sealed partial class PrivacyAccountJson : JsonSerializerContext;
