using System.Diagnostics.Metrics;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using FedServerless.Activities;
using FedServerless.Activities.Telemetry;
using FedServerless.Functions.Platform;
using FedServerless.Gateway;
using FedServerless.Testing;

namespace FedServerless.Platform.Tests.Telemetry;

/// <summary>docs/concepts/telemetry.md against every instrument that the libraries make.</summary>
public sealed partial class TelemetryPageTests
{
    [Fact]
    public void Page_Rows_AreTheInstrumentsOfTheMeter()
    {
        var made = new List<string>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, _) =>
        {
            if (instrument.Meter.Name == FedTelemetry.Name)
            {
                made.Add($"{instrument.Name} {instrument.Unit} {Kind(instrument)}");
                Assert.False(string.IsNullOrEmpty(instrument.Description), instrument.Name);
            }
        };
        listener.Start();
        foreach (var type in new[] { typeof(ActivitySet), typeof(GatewayServices), typeof(FedPlatformServices) }.SelectMany(known => known.Assembly.GetTypes()).Where(HoldsInstruments))
        {
            RuntimeHelpers.RunClassConstructor(type.TypeHandle);
        }

        var page = File.ReadAllText(RepositoryRoot.Combine("docs/concepts/telemetry.md"));
        var documented = Row().Matches(page).Select(row => $"{row.Groups["name"].Value} {row.Groups["unit"].Value} {row.Groups["kind"].Value}");
        Assert.Equal(documented.Order(StringComparer.Ordinal), made.Order(StringComparer.Ordinal));
    }

    private static bool HoldsInstruments(Type type) =>
        !type.ContainsGenericParameters
        && type.GetFields(BindingFlags.Static | BindingFlags.NonPublic | BindingFlags.Public | BindingFlags.DeclaredOnly).Any(field => typeof(Instrument).IsAssignableFrom(field.FieldType));

    private static string Kind(Instrument instrument) => instrument.GetType().Name.Split('`')[0].ToLowerInvariant();

    [GeneratedRegex(@"^\| `(?<name>fed\.[\w.]+)` \| `(?<unit>[^`]+)` \| (?<kind>[\w ]+) \|", RegexOptions.Multiline)]
    private static partial Regex Row();
}
