using System.Text.Json.Serialization;

namespace FedServerless.Wire;

/// <summary>A device asks for work: <c>POST check-in</c>.</summary>
/// <param name="ApiVersion">The protocol the SDK speaks; this one is <see cref="DeviceApi.Version"/>.</param>
/// <param name="Sdk">The SDK's name and version, for operators: <c>dotnet/0.1.0</c>.</param>
public sealed record CheckInRequest(int ApiVersion, string Sdk)
{
    /// <summary>What the device has measured of its link and itself; null for nothing.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DeviceMeasurements? Measured { get; set; }

    /// <summary>Digests of the models the device holds, newest first, at most <see cref="DeviceApi.MaxHeldModels"/>; null for none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<Digest>? Holds { get; set; }

    /// <summary>Which of <see cref="Downloads.DownloadEncodings"/> the device reads; null from an SDK that knows <c>float32</c> alone.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? Reads { get; set; }
}

/// <summary>The answer to a check-in: exactly one of the work items, or neither and a pause.</summary>
public sealed record CheckInResponse
{
    /// <summary>Train; null when not selected.</summary>
    public TrainLease? Train { get; init; }

    /// <summary>Evaluate; null when not asked.</summary>
    public EvaluateLease? Evaluate { get; init; }

    /// <summary>Seconds to wait before the next check-in when there is no work; paced to the population.</summary>
    public double RetryAfterSeconds { get; init; }

    /// <summary>Smallest <see cref="CheckInRequest.ApiVersion"/> the server still serves.</summary>
    public int MinimumApiVersion { get; set; } = DeviceApi.Version;
}

/// <summary>Constants of the device protocol.</summary>
public static class DeviceApi
{
    /// <summary>Version of this protocol.</summary>
    public const int Version = 1;

    /// <summary>Path prefix of every route.</summary>
    public const string Prefix = "/api/v1";

    /// <summary>Header of every response to a device: the nonce to sign the next request with.</summary>
    public const string NonceHeader = "Fed-Nonce";

    /// <summary>Scheme of the Authorization header whose parameter is a compact JWS; see docs/concepts/device-authentication.md.</summary>
    public const string AuthorizationScheme = "FedDevice";

    /// <summary><c>typ</c> of that JWS.</summary>
    public const string ProofType = "fed+jwt";

    /// <summary>Largest difference between <c>iat</c> and the server's clock, in seconds.</summary>
    public const int MaxClockSkewSeconds = 120;

    /// <summary>Longest body of a device's request, in bytes.</summary>
    public const int MaxBodyBytes = 1 << 20;

    /// <summary>Most parts of an update.</summary>
    public const int MaxParts = 4096;

    /// <summary>Most models a check-in names.</summary>
    public const int MaxHeldModels = 16;

    /// <summary>Most encodings a check-in names.</summary>
    public const int MaxEncodings = 16;

    /// <summary>Most files a model is put together from.</summary>
    public const int MaxModelSteps = 32;

    /// <summary>Most metrics in a receipt or an evaluation.</summary>
    public const int MaxMetrics = 32;
}

/// <summary>An artifact a device downloads: by content, from a pre-signed URL.</summary>
/// <param name="Url">Absolute, or relative to the server's origin. GET, ranges allowed, no credentials.</param>
/// <param name="Bytes">Exact length.</param>
/// <param name="Digest">SHA-256 of all of it; the cache key.</param>
/// <param name="LayoutDigest">Digest of its tensor layout.</param>
public sealed record ModelArtifact(string Url, long Bytes, Digest Digest, Digest LayoutDigest);

/// <summary>One encoded file on the way to a model; docs/concepts/downlink.md.</summary>
/// <param name="Url">Absolute, or relative to the server's origin. GET, ranges allowed, no credentials.</param>
/// <param name="Bytes">Exact length.</param>
/// <param name="Digest">SHA-256 of all of it.</param>
/// <param name="Start">SHA-256 of the model it builds on; null when it builds on nothing.</param>
/// <param name="Result">SHA-256 of the model it makes.</param>
public sealed record ModelStep(string Url, long Bytes, Digest Digest, Digest? Start, Digest Result);

/// <summary>Work: train in one round. Checking in again repeats the same lease with fresh URLs.</summary>
public sealed record TrainLease
{
    /// <summary>The run.</summary>
    public required string Run { get; init; }

    /// <summary>The round, from 1.</summary>
    public required int Round { get; init; }

    /// <summary>The model's name.</summary>
    public required string Model { get; init; }

    /// <summary>What to start from; the update is a delta against exactly these bytes. Without a URL where <see cref="Via"/> makes it.</summary>
    public required ModelArtifact Base { get; init; }

    /// <summary>
    /// How to make <see cref="Base"/>: files to download and put on top of each other, in this order; empty when the device holds it. Null
    /// when it is downloaded as it is.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<ModelStep>? Via { get; set; }

    /// <summary>Local training.</summary>
    public required TrainingSpec Training { get; init; }

    /// <summary>Seed of this client's local chance in this round.</summary>
    public required long Seed { get; init; }

    /// <summary>How the update travels.</summary>
    public required UpdateSpec Update { get; init; }

    /// <summary>What a private round asks of its clients; null in a round without privacy.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public LeasePrivacy? Privacy { get; init; }

    /// <summary>What the training's solver needs, where it has a memory; null where it has none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public SolverLease? Solver { get; set; }

    /// <summary>What was chosen for this client, <see cref="Training"/> included; null in a run that does not adapt.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public LeaseChoice? Choice { get; set; }

    /// <summary>Seconds until the round's deadline when this was answered.</summary>
    public required double RemainingSeconds { get; init; }
}

/// <summary>
/// A private round: the client clips the delta of all parameters to a norm, any residual included, before it encodes, claims one sample, and
/// sends no metrics.
/// </summary>
/// <param name="Clip">C: L2 norm, above 0.</param>
/// <param name="WantsClipBit">Whether the receipt says if the norm was at most C before clipping.</param>
public sealed record LeasePrivacy(double Clip, bool WantsClipBit);

/// <summary>What a solver with memory needs besides the model.</summary>
/// <param name="Since">Names the rounds that the memories belong to: a client that remembers another name begins at zero.</param>
/// <param name="Clients">N: clients in the population, 1 or more.</param>
/// <param name="Sum">The sum of all clients' vectors, one tensor <c>sum</c> of the model's parameters; null for zeros, and where no mean is needed.</param>
public sealed record SolverLease(string Since, long Clients, ModelArtifact? Sum);

/// <summary>Work: evaluate one version.</summary>
public sealed record EvaluateLease
{
    /// <summary>The run.</summary>
    public required string Run { get; init; }

    /// <summary>The round whose published version is evaluated.</summary>
    public required int Round { get; init; }

    /// <summary>The model's name.</summary>
    public required string Model { get; init; }

    /// <summary>The version's bytes.</summary>
    public required ModelArtifact Artifact { get; init; }

    /// <summary>Seconds until evaluations close when this was answered.</summary>
    public required double RemainingSeconds { get; init; }
}
