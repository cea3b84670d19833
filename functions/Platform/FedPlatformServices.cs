using Azure.Core;
using Azure.Identity;
using Azure.Security.KeyVault.Secrets;
using FedServerless.Activities;
using FedServerless.Activities.Metering;
using FedServerless.Functions.Platform.Operators;
using FedServerless.Functions.Platform.Secrets;
using FedServerless.Functions.Platform.Settings;
using FedServerless.Functions.Platform.Store;
using FedServerless.Gateway;
using FedServerless.Gateway.About;
using FedServerless.Gateway.Authentication;
using FedServerless.Storage;
using FedServerless.Storage.Azure;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

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
        AddOperators(services, settings);
        AddSecrets(services, settings);
        services.AddFedGateway(Gateway(settings));
        services.TryAddSingleton<ActivitySet>();
        return settings;
    }

    private static TokenCredential Credential(FedSettings settings) => settings.Identity == HostIdentity.AzureCli
        ? new AzureCliCredential()
        : new ManagedIdentityCredential(ManagedIdentityId.FromUserAssignedClientId(settings.IdentityClientId!));

    private static void AddStore(IServiceCollection services, FedSettings settings)
    {
        services.TryAddSingleton<ClockGauge>();
        services.AddSingleton<IHealthSource>(provider => provider.GetRequiredService<ClockGauge>());
        services.AddHostedService<StoreStart>();
        services.TryAddSingleton<IObjectStore>(provider => AzureBlobStore.Create(new AzureBlobStoreOptions
        {
            Container = settings.StorageContainer,
            ServiceUri = settings.StorageUri,
            Credential = settings.StorageUri is null ? null : provider.GetRequiredService<TokenCredential>(),
            ConnectionString = settings.StorageConnection,
            Time = provider.GetRequiredService<TimeProvider>(),
            ConfigureClient = client => client.AddPolicy(provider.GetRequiredService<ClockGauge>(), HttpPipelinePosition.PerRetry),
        }));
    }

    // Before the secrets: with a tenant the key in the folder opens nothing.
    private static void AddOperators(IServiceCollection services, FedSettings settings)
    {
        if (settings.OperatorTenantId is not { } tenant)
        {
            return;
        }

        services.TryAddSingleton(new EntraOptions(tenant, settings.OperatorAudience!, settings.OperatorAuthority));
        services.TryAddSingleton(provider => new EntraKeys(
            new HttpClient(new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromMinutes(5), AllowAutoRedirect = false }),
            provider.GetRequiredService<EntraOptions>(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<EntraKeys>>()));
        services.TryAddSingleton<IOperatorAuthenticator, EntraOperatorAuthenticator>();
        services.AddSingleton<IHealthSource>(provider => provider.GetRequiredService<EntraKeys>());
    }

    private static void AddSecrets(IServiceCollection services, FedSettings settings)
    {
        if (settings.SecretsFolder is { } folder)
        {
            Directory.CreateDirectory(folder);
            var files = SecretFiles.Load(folder);
            services.TryAddSingleton<IServerSecrets>(new FixedSecrets(files.Ring));
            services.TryAddSingleton<IOperatorAuthenticator>(new OperatorKeyAuthenticator(files.OperatorKey));
        }

        if (settings.VaultUri is { } vault)
        {
            services.TryAddSingleton(new VaultSecretsOptions());
            services.TryAddSingleton(provider => new SecretClient(vault, provider.GetRequiredService<TokenCredential>(), VaultClient()));
            services.TryAddSingleton<VaultReader>();
            services.TryAddSingleton<VaultSecrets>();
            services.TryAddSingleton<IServerSecrets>(provider => provider.GetRequiredService<VaultSecrets>());
            services.AddSingleton<IHealthSource>(provider => provider.GetRequiredService<VaultSecrets>());
            services.AddHostedService(provider => provider.GetRequiredService<VaultSecrets>());
        }
    }

    // A reading is repeated by its keeper; here only what is over in a moment is. Retry-After is honoured by the client itself.
    private static SecretClientOptions VaultClient() => new()
    {
        Retry = { MaxRetries = 3, Delay = TimeSpan.FromSeconds(0.5), MaxDelay = TimeSpan.FromSeconds(10), NetworkTimeout = TimeSpan.FromSeconds(10) },
    };

    private static GatewayOptions Gateway(FedSettings settings) => new()
    {
        PublicUrl = settings.PublicUrl,
        CheckInsPerSecond = settings.CheckInsPerSecond,
        MinRetryAfter = settings.MinRetryAfter,
        MaxRetryAfter = settings.MaxRetryAfter,
        UrlsValidFor = settings.UrlsValidFor,
        Usage = new UsageOptions { InstanceMemoryMb = settings.InstanceMemoryMb, Prices = settings.Prices },
        ExplainFailure = StoreFaults.Explain,
    };
}
