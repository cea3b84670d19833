using System.Reflection;
using System.Text.Json.Serialization;
using FedServerless.Gateway.Authentication;
using FedServerless.Gateway.Http;
using FedServerless.Storage;
using FedServerless.Wire;
using Microsoft.AspNetCore.Http;

namespace FedServerless.Gateway.About;

/// <summary>What anyone may know of a host: that it lives and which version it is.</summary>
public sealed class HostReport(IObjectStore store, GatewayOptions options, TimeProvider time, IEnumerable<IHealthSource> sources)
{
    /// <summary>An object that need not exist: asking for it tells whether the store answers.</summary>
    private const string Probe = "health";

    /// <summary>How long the store's answer stands: a flood of questions costs it one a second.</summary>
    public static readonly TimeSpan ProbeEvery = TimeSpan.FromSeconds(1);

    private Probed? _probed;

    internal async Task<Reply> HealthAsync(RouteCall call, CancellationToken cancellationToken)
    {
        var findings = new List<HealthFinding>();
        if (options.Trouble() is { } trouble)
        {
            findings.Add(new HealthFinding(trouble, IsFatal: true));
        }

        var probed = _probed;
        if (probed is null || time.GetElapsedTime(probed.At) >= ProbeEvery)
        {
            _probed = probed = new Probed(await AskStoreAsync(cancellationToken), time.GetTimestamp());
        }

        if (probed.Trouble is { } silent)
        {
            findings.Add(new HealthFinding(silent, IsFatal: true));
        }

        foreach (var source in sources)
        {
            if (await source.LookAsync(cancellationToken) is { } finding)
            {
                findings.Add(finding);
            }
        }

        return Write(findings);
    }

    private static Reply Write(List<HealthFinding> findings)
    {
        var problems = findings.Where(finding => finding.IsFatal).Select(finding => finding.Sentence).Distinct().ToList();
        var warnings = findings.Where(finding => !finding.IsFatal).Select(finding => finding.Sentence).ToList();
        var health = new HealthView(
            problems.Count == 0 ? "healthy" : "unhealthy",
            problems.Count == 0 ? null : string.Join(' ', problems),
            warnings.Count == 0 ? null : warnings);
        return Reply.Json(
            problems.Count == 0 ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable, health, AboutJson.Default.HealthView);
    }

    private async Task<string?> AskStoreAsync(CancellationToken cancellationToken)
    {
        try
        {
            await store.HeadAsync(Probe, cancellationToken);
            return null;
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            return options.ExplainFailure(exception) ?? "The store does not answer.";
        }
    }

    internal static Task<Reply> VersionAsync(RouteCall call, CancellationToken cancellationToken)
    {
        var assembly = typeof(HostReport).Assembly;
        var version = assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0.0.0";
        return Task.FromResult(Reply.Json(
            StatusCodes.Status200OK, new HostVersion(version.Split('+')[0], DeviceApi.Version, DeviceApi.Version), AboutJson.Default.HostVersion));
    }

    private sealed record Probed(string? Trouble, long At);
}

/// <summary>Whether a host is well.</summary>
/// <param name="Status"><c>healthy</c> or <c>unhealthy</c>.</param>
/// <param name="Problem">What is wrong, or null.</param>
/// <param name="Warnings">What will be wrong if nobody sees to it, or null.</param>
public sealed record HealthView(string Status, string? Problem, IReadOnlyList<string>? Warnings = null);

/// <summary>Which version a host is.</summary>
/// <param name="Version">Of the software.</param>
/// <param name="ApiVersion">Of the device protocol.</param>
/// <param name="MinimumApiVersion">Smallest version of the device protocol that is served.</param>
public sealed record HostVersion(string Version, int ApiVersion, int MinimumApiVersion);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(HealthView))]
[JsonSerializable(typeof(HostVersion))]
[JsonSerializable(typeof(SigningKeysView))]
internal sealed partial class AboutJson : JsonSerializerContext;
