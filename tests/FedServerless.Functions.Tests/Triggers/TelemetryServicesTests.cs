using FedServerless.Functions.Hosting;
using FedServerless.Functions.Platform;
using FedServerless.Functions.Platform.Telemetry;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using OpenTelemetry.Metrics;

namespace FedServerless.Functions.Tests.Triggers;

public sealed class TelemetryServicesTests : IDisposable
{
    private readonly DirectoryInfo _secrets = Directory.CreateTempSubdirectory("fed-secrets-");

    [Fact]
    public void AddFedTelemetry_NowhereToSend_LeavesTheLogsToTheHost()
    {
        using var services = Services(null);
        Assert.Null(services.GetService<MeterProvider>());
        Assert.DoesNotContain("WorkerOpenTelemetryEnabled", services.GetRequiredService<IOptions<WorkerOptions>>().Value.Capabilities.Keys);
    }

    [Fact]
    public void AddFedTelemetry_ACollector_IsSentToByTheWorkerItself()
    {
        using var services = Services("http://127.0.0.1:4317");
        Assert.NotNull(services.GetService<MeterProvider>());
        Assert.Contains("WorkerOpenTelemetryEnabled", services.GetRequiredService<IOptions<WorkerOptions>>().Value.Capabilities.Keys);
    }

    public void Dispose() => _secrets.Delete(recursive: true);

    private ServiceProvider Services(string? collector)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { EnvironmentName = Environments.Development });
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Fed:StorageConnection"] = "UseDevelopmentStorage=true",
            ["Fed:SecretsFolder"] = _secrets.FullName,
            [FedOpenTelemetry.EndpointSetting] = collector,
        });
        var settings = builder.Services.AddFedPlatform(builder.Configuration, builder.Environment);
        builder.Services.AddFedFunctions().AddFedTelemetry(builder.Configuration, settings);
        return builder.Services.BuildServiceProvider();
    }
}
