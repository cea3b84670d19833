using System.Reflection;
using System.Text.Json.Serialization;
using FedServerless.Gateway.Http;
using FedServerless.Storage;
using FedServerless.Wire;
using Microsoft.AspNetCore.Http;

namespace FedServerless.Gateway.About;

/// <summary>What anyone may know of a host: that it lives and which version it is.</summary>
public sealed class HostReport(IObjectStore store, GatewayOptions options, TimeProvider time)
{
    /// <summary>An object that need not exist: asking for it tells whether the store answers.</summary>
    private const string Probe = "health";

    /// <summary>How long the store's answer stands: a flood of questions costs it one a second.</summary>
    public static readonly TimeSpan ProbeEvery = TimeSpan.FromSeconds(1);

    private Probed? _probed;

    internal async Task<Reply> HealthAsync(RouteCall call, CancellationToken cancellationToken)
    {
        var probed = _probed;
        if (probed is null || time.GetElapsedTime(probed.At) >= ProbeEvery)
        {
            _probed = probed = new Probed(await AnswersAsync(cancellationToken), time.GetTimestamp());
        }

        var problem = options.Trouble() ?? (probed.Answers ? null : "The store does not answer.");
        var health = new HealthView(problem is null ? "healthy" : "unhealthy", problem);
        return Reply.Json(
            problem is null ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable, health, AboutJson.Default.HealthView);
    }

    private async Task<bool> AnswersAsync(CancellationToken cancellationToken)
    {
        try
        {
            await store.HeadAsync(Probe, cancellationToken);
            return true;
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            return false;
        }
    }

    internal static Task<Reply> VersionAsync(RouteCall call, CancellationToken cancellationToken)
    {
        var assembly = typeof(HostReport).Assembly;
        var version = assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0.0.0";
        return Task.FromResult(Reply.Json(
            StatusCodes.Status200OK, new HostVersion(version.Split('+')[0], DeviceApi.Version, DeviceApi.Version), AboutJson.Default.HostVersion));
    }

    private sealed record Probed(bool Answers, long At);
}

/// <summary>Whether a host is well.</summary>
/// <param name="Status"><c>healthy</c> or <c>unhealthy</c>.</param>
/// <param name="Problem">What is wrong, or null.</param>
public sealed record HealthView(string Status, string? Problem);

/// <summary>Which version a host is.</summary>
/// <param name="Version">Of the software.</param>
/// <param name="ApiVersion">Of the device protocol.</param>
/// <param name="MinimumApiVersion">Smallest version of the device protocol that is served.</param>
public sealed record HostVersion(string Version, int ApiVersion, int MinimumApiVersion);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(HealthView))]
[JsonSerializable(typeof(HostVersion))]
internal sealed partial class AboutJson : JsonSerializerContext;
