using FedServerless.Activities.Telemetry;
using Microsoft.Extensions.Configuration;
using OpenTelemetry;

namespace FedServerless.Functions.Platform.Telemetry;

/// <summary>Leads the product's spans and measurements to OpenTelemetry. docs/concepts/telemetry.md lists them.</summary>
public static class FedOpenTelemetry
{
    /// <summary>The setting with a collector's address, as OpenTelemetry has it.</summary>
    public const string EndpointSetting = "OTEL_EXPORTER_OTLP_ENDPOINT";

    /// <summary>
    /// Listens to the product's sources and meters and, where <see cref="EndpointSetting"/> is set, sends them to that collector with
    /// the other settings of OpenTelemetry's OTLP exporter. Other exporters may be added beside it.
    /// </summary>
    /// <param name="builder">OpenTelemetry's.</param>
    /// <param name="configuration">The host's.</param>
    public static IOpenTelemetryBuilder UseFedTelemetry(this IOpenTelemetryBuilder builder, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(configuration);
        builder
            .WithTracing(traces => traces.AddSource(FedTelemetry.Name))
            .WithMetrics(metrics => metrics.AddMeter(FedTelemetry.Name, $"{FedTelemetry.Name}.*"));
        return string.IsNullOrWhiteSpace(configuration[EndpointSetting]) ? builder : builder.UseOtlpExporter();
    }
}
