using Azure.Core;
using Azure.Identity;
using FedServerless.Activities;
using FedServerless.Functions.Platform.Settings;
using FedServerless.Gateway;
using FedServerless.Gateway.Authentication;
using FedServerless.Storage;
using FedServerless.Storage.Azure;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;

namespace FedServerless.Functions.Platform;

/// <summary>Registers everything that the Azure host is made of, besides its triggers and its engine.</summary>
public static class FedPlatformServices
{
    /// <summary>
    /// Adds the store, the server's secrets, the operators, the gateway's table and the activities. Services that are registered
    /// already are kept.
    /// </summary>
    /// <param name="services">Where.</param>
    /// <param name="configuration">Has the settings of docs/how-to/settings.md, under <c>Fed</c>.</param>
    /// <param name="environment">Says whether this is development.</param>
    /// <returns>The settings.</returns>
    /// <exception cref="FedSettingsException">Settings are missing, wrong or unknown; the message names all of them.</exception>
    public static FedSettings AddFedPlatform(this IServiceCollection services, IConfiguration configuration, IHostEnvironment environment)
    {
        ArgumentNullException.ThrowIfNull(services);
        var settings = FedSettings.Read(configuration, environment);
        services.TryAddSingleton(settings);
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(_ => Credential(settings));
        AddStore(services, settings);
        AddSecretsAndOperators(services, settings);
        services.AddFedGateway(Gateway(settings));
        services.TryAddSingleton<ActivitySet>();
        return settings;
    }

    private static TokenCredential Credential(FedSettings settings) => settings.Identity == HostIdentity.AzureCli
        ? new AzureCliCredential()
        : new ManagedIdentityCredential(ManagedIdentityId.FromUserAssignedClientId(settings.IdentityClientId!));

    private static void AddStore(IServiceCollection services, FedSettings settings)
    {
        services.TryAddSingleton<IObjectStore>(provider => AzureBlobStore.Create(new AzureBlobStoreOptions
        {
            Container = settings.StorageContainer,
            ServiceUri = settings.StorageUri,
            Credential = settings.StorageUri is null ? null : provider.GetRequiredService<TokenCredential>(),
            ConnectionString = settings.StorageConnection,
            Time = provider.GetRequiredService<TimeProvider>(),
        }));
    }

    private static void AddSecretsAndOperators(IServiceCollection services, FedSettings settings)
    {
        if (settings.SecretsFolder is { } folder)
        {
            Directory.CreateDirectory(folder);
            var files = SecretFiles.Load(folder);
            services.TryAddSingleton<IServerSecrets>(new FixedSecrets(files.Ring));
            services.TryAddSingleton<IOperatorAuthenticator>(new OperatorKeyAuthenticator(files.OperatorKey));
        }
    }

    private static GatewayOptions Gateway(FedSettings settings) => new()
    {
        PublicUrl = settings.PublicUrl,
        CheckInsPerSecond = settings.CheckInsPerSecond,
        MinRetryAfter = settings.MinRetryAfter,
        MaxRetryAfter = settings.MaxRetryAfter,
        UrlsValidFor = settings.UrlsValidFor,
    };
}
