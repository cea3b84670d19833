using System.Text.Json.Serialization;

namespace FedServerless.Wire;

/// <summary>
/// A client's claim that it uploaded an update: <c>POST runs/{run}/rounds/{round}/receipts</c>. The signed request is kept with
/// it. 201: it is certainly in the seal; 202: late, only the seal tells; 200: the same receipt again; 409: another one stands.
/// </summary>
/// <param name="Client">The client; must be the signer.</param>
/// <param name="Run">The run; must be the URL's.</param>
/// <param name="Round">The round; must be the URL's.</param>
/// <param name="BaseDigest">SHA-256 of the artifact it trained from.</param>
/// <param name="HeaderDigest">SHA-256 of the update's header, which in turn pins every block.</param>
/// <param name="Bytes">Header and payload, in bytes.</param>
/// <param name="Samples">Local samples trained on, 1 or more; capped by the plan before it weighs anything.</param>
/// <param name="Metrics">Named finite numbers for the operator: at most <see cref="DeviceApi.MaxMetrics"/>.</param>
/// <param name="WithinClip">Whether the delta's norm was at most the lease's C before clipping; null where the lease does not ask.</param>
public sealed record Receipt(
    string Client,
    string Run,
    int Round,
    Digest BaseDigest,
    Digest HeaderDigest,
    long Bytes,
    long Samples,
    IReadOnlyDictionary<string, double> Metrics,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] bool? WithinClip = null)
{
    /// <summary>The lease's choice, in a run that adapts to its clients; null in any other.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public LeaseChoice? Choice { get; init; }

    /// <summary>The part size that the client chose, as announced; null for the plan's.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? PartBytes { get; init; }
}

/// <summary>The answer to a commit.</summary>
/// <param name="State">One of <see cref="ReceiptStates"/>: <c>committed</c> or <c>late</c>.</param>
public sealed record CommitResponse(string State);

/// <summary>What became of the caller's receipt: <c>GET runs/{run}/rounds/{round}/receipts/mine</c>.</summary>
/// <param name="State">One of <see cref="ReceiptStates"/>.</param>
/// <param name="Reason">Why, when excluded or abandoned.</param>
/// <param name="HeaderDigest">The update that the receipt names; null when there is no receipt, and from servers before this was told.</param>
public sealed record ReceiptStatus(string State, string? Reason, Digest? HeaderDigest = null)
{
    /// <summary>
    /// True when it is <see cref="ReceiptStates.Excluded"/> because the round was sealed without it, whether a receipt came after that or never: nobody
    /// looked at the update, and nothing is wrong with it.
    /// Default false, also from servers before this was told.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool Late { get; set; }
}

/// <summary>The states of a receipt.</summary>
public static class ReceiptStates
{
    /// <summary>Stored before <c>closing</c>: it will be in the seal.</summary>
    public const string Committed = "committed";

    /// <summary>Stored after <c>closing</c>: only the seal tells.</summary>
    public const string Late = "late";

    /// <summary>In the model.</summary>
    public const string Included = "included";

    /// <summary>Not in the model; the reason says why.</summary>
    public const string Excluded = "excluded";

    /// <summary>The round published nothing.</summary>
    public const string Abandoned = "abandoned";

    /// <summary>No such receipt and the round is not sealed, or past retention.</summary>
    public const string Unknown = "unknown";
}

/// <summary>A client's evaluation of a version: <c>POST runs/{run}/rounds/{round}/evaluations</c>. Same answers as a receipt.</summary>
/// <param name="Client">The client; must be the signer.</param>
/// <param name="Run">The run; must be the URL's.</param>
/// <param name="Round">The round whose version was evaluated.</param>
/// <param name="ArtifactDigest">SHA-256 of the evaluated bytes.</param>
/// <param name="Samples">Samples evaluated on, 1 or more.</param>
/// <param name="Metrics">Named finite numbers; <c>loss</c> (mean per sample) and <c>accuracy</c> (0 to 1) drive early stopping.</param>
public sealed record Evaluation(
    string Client,
    string Run,
    int Round,
    Digest ArtifactDigest,
    long Samples,
    IReadOnlyDictionary<string, double> Metrics);
