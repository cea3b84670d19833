using FedServerless.Functions.Platform.Settings;
using FedServerless.Functions.Platform.Telemetry;
using Microsoft.Azure.Functions.Worker.OpenTelemetry;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
#if FED_AZURE_MONITOR
using Azure.Identity;
using Azure.Monitor.OpenTelemetry.Exporter;
#endif

namespace FedServerless.Functions.Hosting;

/// <summary>Where the worker's spans, measurements and log lines go.</summary>
public static class TelemetryServices
{
    /// <summary>The setting with the address of Application Insights, as Azure has it.</summary>
    public const string MonitorSetting = "APPLICATIONINSIGHTS_CONNECTION_STRING";

    /// <summary>
    /// Sends them to Application Insights and to a collector, whichever is set. With neither, nothing is registered: the host then
    /// passes on the worker's log lines itself, which it stops doing for a worker that says it exports its own.
    /// </summary>
    public static IServiceCollection AddFedTelemetry(this IServiceCollection services, IConfiguration configuration, FedSettings settings)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        ArgumentNullException.ThrowIfNull(settings);
        var toMonitor = CanReachMonitor && !string.IsNullOrWhiteSpace(configuration[MonitorSetting]);
        if (!toMonitor && string.IsNullOrWhiteSpace(configuration[FedOpenTelemetry.EndpointSetting]))
        {
            return services;
        }

        var telemetry = services.AddOpenTelemetry().UseFunctionsWorkerDefaults().UseFedTelemetry(configuration);
#if FED_AZURE_MONITOR
        if (toMonitor)
        {
            telemetry.UseAzureMonitorExporter(monitor =>
            {
                monitor.ConnectionString = configuration[MonitorSetting];
                if (settings.IdentityClientId is { } identity)
                {
                    // The resource takes no instrumentation key alone: writing needs the app's identity.
                    monitor.Credential = new ManagedIdentityCredential(ManagedIdentityId.FromUserAssignedClientId(identity));
                }
            });
        }
#endif

        return services;
    }

    private static bool CanReachMonitor =>
#if FED_AZURE_MONITOR
        true;
#else
        false;
#endif
}
