using FedServerless.Functions.Platform.Settings;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Hosting;

namespace FedServerless.Platform.Tests.Settings;

/// <summary>Settings that are right, to be bent.</summary>
internal static class SettingsBench
{
    public const string Guid = "0b2a1f60-5d0e-4c3e-9d0a-7f1f6f1c2e11";

    /// <summary>Everything that must be set on Azure.</summary>
    public static Dictionary<string, string?> Azure() => new()
    {
        ["Fed:StorageUri"] = "https://account.blob.core.windows.net",
        ["Fed:IdentityClientId"] = Guid,
        ["Fed:VaultUri"] = "https://vault.vault.azure.net",
        ["Fed:OperatorTenantId"] = Guid,
        ["Fed:OperatorAudience"] = Guid,
    };

    /// <summary>Everything that must be set on a laptop.</summary>
    public static Dictionary<string, string?> Laptop() => new()
    {
        ["Fed:StorageConnection"] = "UseDevelopmentStorage=true",
        ["Fed:SecretsFolder"] = "/somewhere",
    };

    public static FedSettings Read(Dictionary<string, string?> values, bool isDevelopment = false) =>
        FedSettings.Read(Configuration(values), Environment(isDevelopment));

    public static IReadOnlyList<string> Problems(Dictionary<string, string?> values, bool isDevelopment = false) =>
        Assert.Throws<FedSettingsException>(() => Read(values, isDevelopment)).Problems;

    public static IConfigurationRoot Configuration(Dictionary<string, string?> values) =>
        new ConfigurationBuilder().AddInMemoryCollection(values).Build();

    public static IHostEnvironment Environment(bool isDevelopment) => new Place(isDevelopment ? "Development" : "Production");

    private sealed class Place(string name) : IHostEnvironment
    {
        public string EnvironmentName { get; set; } = name;

        public string ApplicationName { get; set; } = "tests";

        public string ContentRootPath { get; set; } = "/";

        public IFileProvider ContentRootFileProvider { get; set; } = new NullFileProvider();
    }
}
