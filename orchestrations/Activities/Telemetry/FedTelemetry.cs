using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace FedServerless.Activities.Telemetry;

/// <summary>
/// Where the product's spans and measurements come from. Whoever listens (OpenTelemetry, <c>dotnet-counters</c>) asks for
/// <see cref="Name"/>; docs/concepts/telemetry.md lists everything under it.
/// </summary>
public static class FedTelemetry
{
    /// <summary>Name of the activity source and of the meter.</summary>
    public const string Name = "FedServerless";

    /// <summary>Spans.</summary>
    public static ActivitySource Source { get; } = new(Name);

    /// <summary>Measurements.</summary>
    public static Meter Meter { get; } = new(Name);
}
