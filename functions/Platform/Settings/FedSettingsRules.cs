using static FedServerless.Functions.Platform.Settings.SettingsReader;

namespace FedServerless.Functions.Platform.Settings;

/// <summary>What settings must fulfil together, beyond each being well-formed.</summary>
internal static class FedSettingsRules
{
    /// <summary>Azurite on this machine, in the SDK's short form.</summary>
    public const string DevelopmentStorage = "UseDevelopmentStorage=true";

    /// <summary>Azurite's account, whose key is in its documentation: a connection string with it gives nothing away.</summary>
    private const string AzuriteAccount = "AccountName=devstoreaccount1;";

    /// <summary>Adds to the reader's problems.</summary>
    public static void Check(FedSettings settings, SettingsReader reader, bool isDevelopment)
    {
        CheckPlaces(settings, reader, isDevelopment);
        OneOf(reader, nameof(FedSettings.StorageUri), nameof(FedSettings.StorageConnection), "the data account's blob endpoint, such as https://ACCOUNT.blob.core.windows.net", isDevelopment);
        OneOf(reader, nameof(FedSettings.VaultUri), nameof(FedSettings.SecretsFolder), "the vault's address, such as https://VAULT.vault.azure.net", isDevelopment);
        CheckIdentity(settings, reader);
        CheckOperators(reader);
        if (settings.MaxRetryAfter < settings.MinRetryAfter)
        {
            reader.Add($"{Spell(nameof(settings.MaxRetryAfter))} is '{settings.MaxRetryAfter}'; expected at least {Spell(nameof(settings.MinRetryAfter))}, {settings.MinRetryAfter}.");
        }
    }

    // What is safe on a laptop and nowhere else.
    private static void CheckPlaces(FedSettings settings, SettingsReader reader, bool isDevelopment)
    {
        if (settings.StorageConnection is { } connection && connection != DevelopmentStorage
            && !connection.Contains(AzuriteAccount, StringComparison.OrdinalIgnoreCase))
        {
            reader.Add($"{Spell(nameof(settings.StorageConnection))} (its value is not shown) is not Azurite's; expected '{DevelopmentStorage}', or {Spell(nameof(settings.StorageUri))} instead: account keys are not used on Azure.");
        }

        if (isDevelopment)
        {
            return;
        }

        OnlyInDevelopment(nameof(settings.StorageConnection), settings.StorageConnection is not null, $"{Spell(nameof(settings.StorageUri))} instead");
        OnlyInDevelopment(nameof(settings.SecretsFolder), settings.SecretsFolder is not null, $"{Spell(nameof(settings.VaultUri))} instead");
        OnlyInDevelopment(nameof(settings.Identity), settings.Identity == HostIdentity.AzureCli, $"'{HostIdentity.ManagedIdentity}'");

        void OnlyInDevelopment(string name, bool isSo, string expected)
        {
            if (isSo)
            {
                reader.Add($"{Spell(name)} is for development only, and AZURE_FUNCTIONS_ENVIRONMENT is not 'Development' here; expected {expected}.");
            }
        }
    }

    private static void OneOf(SettingsReader reader, string onAzure, string inDevelopment, string expected, bool isDevelopment)
    {
        if (reader.Has(onAzure) && reader.Has(inDevelopment))
        {
            reader.Add($"{Spell(onAzure)} and {Spell(inDevelopment)} are both set; expected one of them.");
        }
        else if (!reader.Has(onAzure) && !reader.Has(inDevelopment))
        {
            reader.Missing(onAzure, isDevelopment ? $"{expected}, or {Spell(inDevelopment)} in development" : expected);
        }
    }

    private static void CheckIdentity(FedSettings settings, SettingsReader reader)
    {
        var reachesAzure = reader.Has(nameof(settings.StorageUri)) || reader.Has(nameof(settings.VaultUri));
        if (settings.Identity == HostIdentity.ManagedIdentity && reachesAzure && !reader.Has(nameof(settings.IdentityClientId)))
        {
            reader.Missing(nameof(settings.IdentityClientId), "the client id of the host's user-assigned identity, a GUID");
        }
    }

    // With a folder of secrets the operators hold the key in it, unless they are somebody in Entra ID.
    private static void CheckOperators(SettingsReader reader)
    {
        const string Tenant = nameof(FedSettings.OperatorTenantId);
        const string Audience = nameof(FedSettings.OperatorAudience);
        if (!reader.Has(Tenant) && !reader.Has(Audience) && reader.Has(nameof(FedSettings.SecretsFolder)))
        {
            return;
        }

        if (!reader.Has(Tenant))
        {
            reader.Missing(Tenant, "the id of the operators' Entra ID tenant, a GUID");
        }

        if (!reader.Has(Audience))
        {
            reader.Missing(Audience, "the client id of the federation's app registration, a GUID");
        }
    }
}
