using System.Text.Json;
using System.Text.RegularExpressions;
using FedServerless.Functions.Platform.Settings;
using FedServerless.Infra.Tests.Bicep;
using FedServerless.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Hosting;

namespace FedServerless.Infra.Tests;

/// <summary>The application settings that the templates make, against the code that reads them and against host.json.</summary>
public sealed partial class AppSettingsTests
{
    private const string Id = "01234567-89ab-cdef-0123-456789abcdef";

    [Theory]
    [InlineData("scheduler", "")]
    [InlineData("storage", "")]
    [InlineData("scheduler", "https://fed.example.org")]
    public void Settings_OfTheTemplate_AreWhatTheHostAccepts(string backend, string publicUrl)
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(Settings(backend, publicUrl).Select(setting => KeyValuePair.Create(setting.Key.Replace("__", ":", StringComparison.Ordinal), (string?)setting.Value)))
            .Build();

        var settings = FedSettings.Read(configuration, new ProductionEnvironment());

        Assert.Equal(new Uri("https://stdata.blob.core.windows.net/"), settings.StorageUri);
        Assert.Equal(new Uri("https://kv.vault.azure.net/"), settings.VaultUri);
        Assert.Equal((Id, Id, Id), (settings.IdentityClientId, settings.OperatorAudience, settings.OperatorTenantId));
        Assert.Equal(new Uri(publicUrl.Length == 0 ? "https://func.azurewebsites.net" : publicUrl), settings.PublicUrl);
    }

    [Theory]
    [InlineData("scheduler", "functions/App/host.scheduler.json")]
    [InlineData("storage", "host.json")]
    public void HostJson_EverySettingThatItNames_IsMade(string backend, string file)
    {
        var text = File.ReadAllText(RepositoryRoot.Combine(file));
        var settings = Settings(backend, "").Keys.ToList();
        using var document = JsonDocument.Parse(text);
        var provider = document.RootElement.GetProperty("extensions").GetProperty("durableTask").GetProperty("storageProvider");

        Assert.All(Placeholder().Matches(text).Select(match => match.Groups["name"].Value), name => Assert.Contains(name, settings));
        foreach (var connection in provider.EnumerateObject().Where(property => property.Name is "connectionName" or "connectionStringName").Select(property => property.Value.GetString()!))
        {
            Assert.Contains(settings, setting => setting == connection || setting == $"{connection}__accountName");
        }

        Assert.Equal(backend == "scheduler" ? "azureManaged" : "azureStorage", provider.GetProperty("type").GetString());
    }

    [Theory]
    [InlineData("scheduler", "DurableStorage__accountName")]
    [InlineData("storage", "DURABLE_TASK_SCHEDULER_CONNECTION_STRING")]
    public void Settings_OfTheOtherBackend_AreNotMade(string backend, string setting) => Assert.DoesNotContain(setting, Settings(backend, "").Keys);

    [Theory]
    [InlineData("scheduler")]
    [InlineData("storage")]
    public void Settings_NoneIsOneThatFlexConsumptionRefuses_NorEmpty(string backend)
    {
        // https://learn.microsoft.com/azure/azure-functions/functions-app-settings#flex-consumption-plan-deprecations
        string[] refused =
        [
            "ENABLE_ORYX_BUILD", "FUNCTIONS_EXTENSION_VERSION", "FUNCTIONS_WORKER_RUNTIME", "FUNCTIONS_WORKER_RUNTIME_VERSION",
            "SCM_DO_BUILD_DURING_DEPLOYMENT", "WEBSITE_CONTENTAZUREFILECONNECTIONSTRING", "WEBSITE_CONTENTSHARE", "WEBSITE_RUN_FROM_PACKAGE", "WEBSITE_VNET_ROUTE_ALL",
        ];
        var settings = Settings(backend, "");

        Assert.Empty(settings.Keys.Intersect(refused, StringComparer.Ordinal));
        Assert.All(settings, setting => Assert.NotEqual("", setting.Value));
        Assert.DoesNotContain("AzureWebJobsStorage", settings.Keys);
    }

    [Theory]
    [InlineData("AzureWebJobsStorage")]
    [InlineData("DurableStorage")]
    public void Connections_OfTheHost_NameItsIdentity(string connection)
    {
        var settings = Settings("storage", "");

        Assert.Equal(("managedidentity", Id), (settings[$"{connection}__credential"], settings[$"{connection}__clientId"]));
        Assert.Equal("sthost", settings[$"{connection}__accountName"]);
    }

    [Fact]
    public void SampleOfLocalSettings_HasEverySettingThatHostJsonNames()
    {
        using var sample = JsonDocument.Parse(File.ReadAllText(RepositoryRoot.Combine("local.settings.sample.json")));
        var names = sample.RootElement.GetProperty("Values").EnumerateObject().Select(value => value.Name).ToList();

        Assert.All(Placeholder().Matches(File.ReadAllText(RepositoryRoot.Combine("host.json"))).Select(match => match.Groups["name"].Value), name => Assert.Contains(name, names));
        Assert.Contains("DurableStorage", names);
        Assert.Contains("AzureWebJobsStorage", names);
    }

    private static Dictionary<string, string> Settings(string backend, string publicUrl)
    {
        var file = Templates.All["modules/function-app.bicep"];
        var texts = file.Parameters.Where(parameter => parameter.Type == "string").ToDictionary(parameter => parameter.Symbol, object? (parameter) => parameter.Symbol switch
        {
            "durableBackend" => backend,
            "publicUrl" => publicUrl,
            "identityClientId" or "operatorTenantId" or "operatorAudience" => Id,
            "dataEndpoint" => "https://stdata.blob.core.windows.net/",
            "dataContainer" => "fed",
            "vaultUri" => "https://kv.vault.azure.net/",
            "hostStorageName" => "sthost",
            var name => name,
        }, StringComparer.Ordinal);
        texts["usePlaceholders"] = false;
        texts["instanceMemoryMB"] = "2048";
        texts["site"] = new Dictionary<string, object?> { ["properties"] = new Dictionary<string, object?> { ["defaultHostName"] = "func.azurewebsites.net" } };
        var body = file.Resources.Single(resource => resource.Type == "Microsoft.Web/sites/config").Body;
        return ((Dictionary<string, object?>)new Evaluator(file, texts).Value(body.At("properties")!)!).ToDictionary(setting => setting.Key, setting => (string)setting.Value!, StringComparer.Ordinal);
    }

    [GeneratedRegex("%(?<name>[A-Za-z0-9_]+)%", RegexOptions.CultureInvariant)]
    private static partial Regex Placeholder();

    private sealed class ProductionEnvironment : IHostEnvironment
    {
        public string EnvironmentName { get; set; } = Environments.Production;

        public string ApplicationName { get; set; } = "test";

        public string ContentRootPath { get; set; } = "/";

        public IFileProvider ContentRootFileProvider { get; set; } = new NullFileProvider();
    }
}
