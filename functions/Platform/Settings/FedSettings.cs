using System.Text;
using FedServerless.Activities.Metering;
using FedServerless.Capacity;
using FedServerless.Gateway;
using FedServerless.Storage.Presigned;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;

namespace FedServerless.Functions.Platform.Settings;

/// <summary>
/// Everything that can be set on the Azure host, read and checked as a whole. docs/how-to/settings.md has the table; each property is
/// the setting <c>Fed__</c> and its name.
/// </summary>
public sealed record FedSettings
{
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    private FedSettings()
    {
    }

    /// <summary>Blob endpoint of the account that holds the federation's objects; null with <see cref="StorageConnection"/>.</summary>
    public Uri? StorageUri { get; private init; }

    /// <summary>A connection string of Azurite, in development only; null with <see cref="StorageUri"/>.</summary>
    public string? StorageConnection { get; private init; }

    /// <summary>Container of the objects. Default <c>fed</c>.</summary>
    public string StorageContainer { get; private init; } = "fed";

    /// <summary>As whom the host reaches Azure. Default <see cref="HostIdentity.ManagedIdentity"/>.</summary>
    public HostIdentity Identity { get; private init; }

    /// <summary>Client id of the user-assigned managed identity; null where there is none.</summary>
    public string? IdentityClientId { get; private init; }

    /// <summary>Key Vault of the server's secrets; null with <see cref="SecretsFolder"/>.</summary>
    public Uri? VaultUri { get; private init; }

    /// <summary>Folder of the server's secrets, in development only; null with <see cref="VaultUri"/>.</summary>
    public string? SecretsFolder { get; private init; }

    /// <summary>Entra ID tenant of the operators; null where they hold the key in <see cref="SecretsFolder"/>.</summary>
    public string? OperatorTenantId { get; private init; }

    /// <summary>Client id of the federation's app registration: what an operator's token must be for.</summary>
    public string? OperatorAudience { get; private init; }

    /// <summary>Where Entra ID is. Default <c>https://login.microsoftonline.com</c>.</summary>
    public Uri OperatorAuthority { get; private init; } = new("https://login.microsoftonline.com");

    /// <summary>The address that devices use; null where requests arrive as they were sent.</summary>
    public Uri? PublicUrl { get; private init; }

    /// <summary>Check-ins a second that the host should get from an idle population. Default 50.</summary>
    public double CheckInsPerSecond { get; private init; }

    /// <summary>Shortest pause between check-ins. Default 5 s.</summary>
    public TimeSpan MinRetryAfter { get; private init; }

    /// <summary>Longest pause between check-ins. Default 10 minutes.</summary>
    public TimeSpan MaxRetryAfter { get; private init; }

    /// <summary>Life of pre-signed URLs. Default an hour.</summary>
    public TimeSpan UrlsValidFor { get; private init; }

    /// <summary>Memory of an instance in MB, for what rounds use. Default 2048.</summary>
    public int InstanceMemoryMb { get; private init; } = 2048;

    /// <summary>What things cost. Default: the example of docs/concepts/cost.md.</summary>
    public PriceTable Prices { get; private init; } = new();

    /// <summary>Reads and checks the settings.</summary>
    /// <exception cref="FedSettingsException">Something is missing, wrong or unknown; the message names all of it.</exception>
    public static FedSettings Read(IConfiguration configuration, IHostEnvironment environment)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        ArgumentNullException.ThrowIfNull(environment);
        var reader = new SettingsReader(configuration);
        var settings = Read(reader);
        FedSettingsRules.Check(settings, reader, environment.IsDevelopment());
        reader.RefuseUnknown();
        return reader.Problems.Count == 0 ? settings : throw new FedSettingsException(reader.Problems);
    }

    /// <summary>Names of all settings, without the section, for the test that compares them with the documentation.</summary>
    internal static IReadOnlyList<string> Names()
    {
        var reader = new SettingsReader(new ConfigurationBuilder().Build());
        Read(reader);
        return reader.Known;
    }

    private static FedSettings Read(SettingsReader reader)
    {
        var gateway = new GatewayOptions();
        return new FedSettings
        {
            StorageUri = reader.Address(nameof(StorageUri), "the data account's blob endpoint, such as https://ACCOUNT.blob.core.windows.net"),
            StorageConnection = reader.Text(nameof(StorageConnection)),
            StorageContainer = reader.Text(nameof(StorageContainer), IsContainer, "3 to 63 lower-case letters, digits and single hyphens inside") ?? "fed",
            Identity = reader.Choice(nameof(Identity), HostIdentity.ManagedIdentity),
            IdentityClientId = reader.Text(nameof(IdentityClientId), IsGuid, "the client id of the user-assigned identity, a GUID"),
            VaultUri = reader.Address(nameof(VaultUri), "the vault's address, such as https://VAULT.vault.azure.net"),
            SecretsFolder = reader.Text(nameof(SecretsFolder)),
            // Tokens spell both in small letters and are compared letter by letter.
            OperatorTenantId = reader.Text(nameof(OperatorTenantId), IsGuid, "the id of the Entra ID tenant, a GUID")?.ToLowerInvariant(),
            OperatorAudience = reader.Text(nameof(OperatorAudience), IsGuid, "the client id of the federation's app registration, a GUID")?.ToLowerInvariant(),
            OperatorAuthority = reader.Address(nameof(OperatorAuthority), "where Entra ID is, such as https://login.microsoftonline.com")
                ?? new Uri("https://login.microsoftonline.com"),
            PublicUrl = reader.Address(nameof(PublicUrl), "the address that devices use, such as https://fed.example.org", allowHttp: true),
            CheckInsPerSecond = reader.Number(nameof(CheckInsPerSecond), gateway.CheckInsPerSecond, max: 100_000),
            MinRetryAfter = reader.Duration(nameof(MinRetryAfter), gateway.MinRetryAfter, TimeSpan.FromSeconds(1), Day),
            MaxRetryAfter = reader.Duration(nameof(MaxRetryAfter), gateway.MaxRetryAfter, TimeSpan.FromSeconds(1), Day),
            InstanceMemoryMb = (int)reader.Number(nameof(InstanceMemoryMb), 2048, max: UsageOptions.MaxInstanceMemoryMb),
            Prices = PricesOf(reader.Text(nameof(Prices), text => PricesOf(text) is not null, "a price table, JSON: docs/concepts/cost.md")) ?? new PriceTable(),
            UrlsValidFor = reader.Duration(nameof(UrlsValidFor), gateway.UrlsValidFor, PresignLimits.MinValidFor, PresignLimits.MaxValidFor),
        };
    }

    private static PriceTable? PricesOf(string? json) =>
        json is not null && PriceTable.TryParse(Encoding.UTF8.GetBytes(json), out var prices, out _) ? prices : null;

    private static bool IsGuid(string text) => Guid.TryParseExact(text, "D", out _);

    // https://learn.microsoft.com/rest/api/storageservices/naming-and-referencing-containers--blobs--and-metadata
    private static bool IsContainer(string text) => text.Length is >= 3 and <= 63
        && text.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-')
        && text[0] != '-' && text[^1] != '-' && !text.Contains("--", StringComparison.Ordinal);
}

/// <summary>As whom the host reaches Azure.</summary>
public enum HostIdentity
{
    /// <summary>The user-assigned managed identity of the function app.</summary>
    ManagedIdentity = 0,

    /// <summary>Whoever is signed in with <c>az login</c>; in development only.</summary>
    AzureCli,
}
