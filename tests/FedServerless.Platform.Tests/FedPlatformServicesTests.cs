using Azure.Core;
using Azure.Identity;
using FedServerless.Activities;
using FedServerless.Activities.Metering;
using FedServerless.Functions.Platform;
using FedServerless.Functions.Platform.Operators;
using FedServerless.Functions.Platform.Secrets;
using FedServerless.Functions.Platform.Settings;
using FedServerless.Functions.Platform.Store;
using FedServerless.Gateway.About;
using FedServerless.Gateway.Authentication;
using FedServerless.Gateway.Http;
using FedServerless.Platform.Tests.Settings;
using FedServerless.Storage;
using FedServerless.Storage.Azure;
using Microsoft.Extensions.DependencyInjection;

namespace FedServerless.Platform.Tests;

public sealed class FedPlatformServicesTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("fed-platform-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void AddFedPlatform_OnAzure_IsWholeAndReachesNothingByItself()
    {
        using var services = Build(SettingsBench.Azure());

        Assert.IsType<AzureBlobStore>(Assert.IsType<MeteredStore>(services.GetRequiredService<IObjectStore>()).Inner);
        Assert.IsType<ManagedIdentityCredential>(services.GetRequiredService<TokenCredential>());
        Assert.IsType<VaultSecrets>(services.GetRequiredService<IServerSecrets>());
        Assert.IsType<EntraOperatorAuthenticator>(services.GetRequiredService<IOperatorAuthenticator>());
        Assert.Equal(
            [nameof(ClockGauge), nameof(EntraKeys), nameof(VaultSecrets)],
            services.GetServices<IHealthSource>().Select(source => source.GetType().Name));
        Assert.NotEmpty(services.GetRequiredService<RouteTable>().Routes);
        Assert.NotNull(services.GetRequiredService<ActivitySet>());
    }

    [Fact]
    public async Task AddFedPlatform_OnALaptop_TakesTheFoldersSecretsAndKey()
    {
        using var services = Build(Laptop(), isDevelopment: true);

        var files = SecretFiles.Load(_folder);
        Assert.Equal(files.Ring.Current.Kid, services.GetRequiredService<IServerSecrets>().Ring.Current.Kid);
        var http = new Microsoft.AspNetCore.Http.DefaultHttpContext();
        http.Request.Headers.Authorization = $"Bearer {files.OperatorKey}";
        var caller = await services.GetRequiredService<IOperatorAuthenticator>().AuthenticateAsync(http, TestContext.Current.CancellationToken);
        Assert.Equal(OperatorCaller.KeyHolder, caller?.Id);
    }

    [Fact]
    public void AddFedPlatform_OnALaptopWithATenant_LeavesTheKeyWithoutEffect()
    {
        var values = Laptop();
        values["Fed:OperatorTenantId"] = values["Fed:OperatorAudience"] = SettingsBench.Guid;

        using var services = Build(values, isDevelopment: true);

        Assert.IsType<EntraOperatorAuthenticator>(services.GetRequiredService<IOperatorAuthenticator>());
    }

    [Fact]
    public void AddFedPlatform_IdentityOfTheCommandLine_IsByExplicitSettingOnly()
    {
        var values = SettingsBench.Azure();
        values["Fed:Identity"] = "azurecli";

        using var services = Build(values, isDevelopment: true);

        Assert.IsType<AzureCliCredential>(services.GetRequiredService<TokenCredential>());
    }

    [Fact]
    public void AddFedPlatform_WhatWasRegisteredBefore_IsKept()
    {
        var secrets = new FixedSecrets(new SecretRing(new MasterSecret("a", new byte[32])));
        using var services = Build(SettingsBench.Azure(), before: services => services.AddSingleton<IServerSecrets>(secrets));

        Assert.Same(secrets, services.GetRequiredService<IServerSecrets>());
    }

    [Fact]
    public void AddFedPlatform_WrongSettings_RegistersNothing()
    {
        var services = new ServiceCollection();

        Assert.Throws<FedSettingsException>(() => services.AddFedPlatform(SettingsBench.Configuration([]), SettingsBench.Environment(false)));

        Assert.Empty(services);
    }

    private Dictionary<string, string?> Laptop()
    {
        var values = SettingsBench.Laptop();
        values["Fed:SecretsFolder"] = _folder;
        return values;
    }

    private static ServiceProvider Build(Dictionary<string, string?> values, bool isDevelopment = false, Action<IServiceCollection>? before = null)
    {
        var services = new ServiceCollection();
        services.AddLogging();
        before?.Invoke(services);
        services.AddFedPlatform(SettingsBench.Configuration(values), SettingsBench.Environment(isDevelopment));
        return services.BuildServiceProvider(new ServiceProviderOptions { ValidateOnBuild = true, ValidateScopes = true });
    }
}
