using System.Collections.Concurrent;
using System.Text;
using FedServerless.Activities.Telemetry;
using FedServerless.Functions.Platform.Telemetry;
using FedServerless.Platform.Tests.Settings;
using FedServerless.Platform.Tests.StandIns;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace FedServerless.Platform.Tests.Telemetry;

/// <summary>The real OpenTelemetry and the real OTLP exporter before a collector of the tests' own.</summary>
public sealed class FedOpenTelemetryTests : IAsyncLifetime
{
    private readonly ConcurrentDictionary<string, string> _received = new();

    private StandInServer _collector = null!;

    public async ValueTask InitializeAsync() => _collector = await StandInServer.StartAsync(["collector.example"], async http =>
    {
        using var body = new MemoryStream();
        await http.Request.Body.CopyToAsync(body);
        var text = Encoding.UTF8.GetString(body.ToArray());
        _received.AddOrUpdate(http.Request.Path, text, (_, before) => before + text);
        http.Response.ContentType = "application/x-protobuf";
    });

    public ValueTask DisposeAsync() => _collector.DisposeAsync();

    [Fact]
    public void UseFedTelemetry_WithACollector_SendsSpansAndMeasurements()
    {
        using (var sdk = Create(_collector.Http.AbsoluteUri))
        {
            using (FedTelemetry.Source.StartActivity("a-span-of-the-test"))
            {
                RoundTelemetry.Ended(published: true, cohort: 3, receipts: 2, accepted: 1);
            }

            Assert.True(sdk.TracerProvider.ForceFlush());
            Assert.True(sdk.MeterProvider.ForceFlush());
        }

        Assert.Contains("a-span-of-the-test", _received["/v1/traces"], StringComparison.Ordinal);
        Assert.Contains("fed.rounds", _received["/v1/metrics"], StringComparison.Ordinal);
        Assert.Contains("published", _received["/v1/metrics"], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null)]
    [InlineData(" ")]
    public void UseFedTelemetry_WithoutACollector_SendsNothing(string? endpoint)
    {
        using (var sdk = Create(endpoint))
        {
            using var span = FedTelemetry.Source.StartActivity("unsent");
            Assert.NotNull(span);
        }

        Assert.Empty(_received);
    }

    private static OpenTelemetrySdk Create(string? endpoint)
    {
        var configuration = SettingsBench.Configuration(new()
        {
            [FedOpenTelemetry.EndpointSetting] = endpoint,
            ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
        });
        return OpenTelemetrySdk.Create(builder =>
        {
            builder.Services.AddSingleton<IConfiguration>(configuration);
            builder.UseFedTelemetry(configuration);
        });
    }
}
