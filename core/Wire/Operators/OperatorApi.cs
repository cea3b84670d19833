using System.Text.Json.Serialization;

namespace FedServerless.Wire;

/// <summary>Create a run: <c>POST runs</c>. The same id and spec again: 200; another spec: 409.</summary>
/// <param name="Id">The run's id, chosen by the caller.</param>
/// <param name="Spec">What to do.</param>
/// <param name="DryRun">Only validate, and answer with the spec as it would be stored.</param>
public sealed record CreateRunRequest(string Id, RunSpec Spec, bool DryRun = false);

/// <summary>A run as operators see it: <c>GET runs/{id}</c>.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Spec">What was asked for.</param>
/// <param name="State">One of <see cref="RunStates"/>.</param>
/// <param name="Reason">Why it stands there, for people; null where nothing needs saying.</param>
/// <param name="Round">The round it is in or ended with; 0 before the first.</param>
/// <param name="PublishedRounds">Rounds that published a version.</param>
/// <param name="LogLength">Entries in its log: <c>GET runs/{id}/log?after=N</c>.</param>
/// <param name="Cost">What it cost so far; null where that was not looked up: in a listing, in a draft, from an older server.</param>
public sealed record RunView(
    string Id, RunSpec Spec, string State, string? Reason, int Round, int PublishedRounds, int LogLength,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] CostView? Cost = null);

/// <summary>The states of a run.</summary>
public static class RunStates
{
    /// <summary>Created, not started.</summary>
    public const string Draft = "draft";

    /// <summary>Before a round, waiting until enough clients were seen lately.</summary>
    public const string WaitingForClients = "waitingForClients";

    /// <summary>In a round.</summary>
    public const string Running = "running";

    /// <summary>Paused at a round boundary.</summary>
    public const string Paused = "paused";

    /// <summary>All rounds done, or a stopping rule held.</summary>
    public const string Completed = "completed";

    /// <summary>Stopped by the operator.</summary>
    public const string Stopped = "stopped";

    /// <summary>Five rounds in a row were abandoned.</summary>
    public const string Stalled = "stalled";

    /// <summary>A step failed for good; <c>fed run recover</c> continues from blobs.</summary>
    public const string Failed = "failed";

    /// <summary>The next round would have cost more than is left of <see cref="RunSpec.CostLimit"/>.</summary>
    public const string CostLimitReached = "costLimitReached";

    /// <summary>The population's privacy budget does not admit the next round; nobody was selected for it.</summary>
    public const string BudgetSpent = "budgetSpent";

    /// <summary>True once nothing more will happen by itself.</summary>
    public static bool IsFinal(string state) => state is Completed or Stopped or Stalled or Failed or CostLimitReached or BudgetSpent;
}

/// <summary>One line of a run's log, written once by an activity.</summary>
/// <param name="Number">From 1, without gaps.</param>
/// <param name="Time">When it was written; for people.</param>
/// <param name="Kind">What happened: <c>roundOpened</c>, <c>updateExcluded</c>, <c>roundPublished</c>, …</param>
/// <param name="Round">The round, or 0.</param>
/// <param name="Client">The client concerned, or null.</param>
/// <param name="Message">A sentence for people.</param>
/// <param name="Values">Numbers of the event: accepted, bytesUp, bytesDown, loss, seconds, …</param>
public sealed record LogEntry(
    int Number, DateTimeOffset Time, string Kind, int Round, string? Client, string Message, IReadOnlyDictionary<string, double> Values);

/// <summary>A page of a log.</summary>
/// <param name="Entries">In order.</param>
/// <param name="Next">Pass as <c>after</c> to continue.</param>
public sealed record LogPage(IReadOnlyList<LogEntry> Entries, int Next);

/// <summary>A round as operators see it.</summary>
/// <param name="Run">The run.</param>
/// <param name="Round">From 1.</param>
/// <param name="State"><c>planned</c>, <c>open</c>, <c>sealed</c>, <c>published</c> or <c>abandoned</c>.</param>
/// <param name="Reason">Why abandoned, else null.</param>
/// <param name="Cohort">Clients selected.</param>
/// <param name="Receipts">Receipts in the seal, or stored so far.</param>
/// <param name="Accepted">Updates in the model.</param>
/// <param name="Verdicts">Who was refused and why; only refusals.</param>
/// <param name="Version">The published version, or null.</param>
/// <param name="Metrics">Means over accepted receipts, weighted by samples, and <c>eval.*</c> from evaluations.</param>
/// <param name="Cost">What it cost until it closed; null before that, and for rounds of an older version.</param>
public sealed record RoundView(
    string Run, int Round, string State, string? Reason, int Cohort, int Receipts, int Accepted,
    IReadOnlyList<Refusal> Verdicts, string? Version, IReadOnlyDictionary<string, double> Metrics,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] CostView? Cost = null);

/// <summary>What one client did in a round that is sealed.</summary>
/// <param name="Client">The client.</param>
/// <param name="Included">True when its update is among those accepted.</param>
/// <param name="Reason">Why not, or null.</param>
/// <param name="Samples">Samples it claims.</param>
/// <param name="Metrics">Of its receipt, and <c>eval.*</c> of its evaluation of the round's version.</param>
public sealed record RoundClientView(string Client, bool Included, string? Reason, long Samples, IReadOnlyDictionary<string, double> Metrics)
{
    /// <summary>The round's codec, in which the update came; null from servers before this was told.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Codec { get; set; }

    /// <summary>Header and payload of its update, in bytes; null from servers before this was told.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? Bytes { get; set; }

    /// <summary>What the round's policy chose for it; null in a round that does not adapt.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public LeaseChoice? Choice { get; set; }

    /// <summary>What it had measured when that was chosen; null for nothing, and in a round that does not adapt.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DeviceMeasurements? Measured { get; set; }
}

/// <summary>An update that is not in the model.</summary>
/// <param name="Client">Whose.</param>
/// <param name="Reason">Why.</param>
public sealed record Refusal(string Client, string Reason);

/// <summary>A version of a model.</summary>
/// <param name="Model">The model.</param>
/// <param name="Version">Its name: <c>{run}-r{round}</c> or <c>init-{first 12 digits of the digest}</c>.</param>
/// <param name="Parent">The version it came from, or null.</param>
/// <param name="Weights">The safetensors file.</param>
/// <param name="Current">True when the model's pointer is here.</param>
/// <param name="Run">The run that made it, or null.</param>
/// <param name="Round">The round that made it, or 0.</param>
/// <param name="Accepted">Updates in it.</param>
/// <param name="Metrics">Means over accepted receipts, weighted by samples.</param>
public sealed record VersionView(
    string Model, string Version, string? Parent, ModelArtifact Weights, bool Current, string? Run, int Round, int Accepted,
    IReadOnlyDictionary<string, double> Metrics);

/// <summary>Announce an upload of a model's version 0: <c>POST models/{model}/uploads</c>; answered with a <see cref="PartUpload"/>.</summary>
/// <param name="Digest">SHA-256 of the safetensors file.</param>
/// <param name="Bytes">Its length.</param>
public sealed record ModelUploadRequest(Digest Digest, long Bytes);

/// <summary>Make an uploaded file the model's first version: <c>POST models/{model}</c>.</summary>
/// <param name="Digest">SHA-256 of the uploaded file.</param>
public sealed record CreateModelRequest(Digest Digest);

/// <summary>Move a model's pointer back to an earlier version: <c>POST models/{model}/rollback</c>.</summary>
/// <param name="Version">The version to serve.</param>
public sealed record RollbackRequest(string Version);

/// <summary>A device as operators see it.</summary>
/// <param name="Client">Its id.</param>
/// <param name="Population">Where it belongs.</param>
/// <param name="State"><c>enrolled</c>, <c>quarantined</c> or <c>revoked</c>.</param>
/// <param name="KeyThumbprint">RFC 7638 thumbprint of its key.</param>
/// <param name="EnrolledAt">When this key was enrolled.</param>
/// <param name="LastSeen">When it last checked in, to the minute; null if never since the hosts started.</param>
public sealed record ClientView(
    string Client, string Population, string State, string KeyThumbprint, DateTimeOffset EnrolledAt, DateTimeOffset? LastSeen)
{
    /// <summary>Why it is in quarantine, or null.</summary>
    public string? QuarantineReason { get; init; }

    /// <summary>What its rounds say of it; null in listings.</summary>
    public StandingView? Standing { get; init; }
}

/// <summary>What a client's rounds say of it.</summary>
/// <param name="Reliability">In [0, 1]: whether it delivers when it is asked, later rounds weighing more.</param>
/// <param name="Reputation">In [0, 1]: whether what it delivers is used, later rounds weighing more.</param>
/// <param name="Invited">Rounds whose cohort it was in.</param>
/// <param name="Delivered">Rounds whose seal has its receipt.</param>
/// <param name="Refused">Updates that validation refused.</param>
/// <param name="History">The last rounds, oldest first, at most 20.</param>
public sealed record StandingView(
    double Reliability, double Reputation, int Invited, int Delivered, int Refused, IReadOnlyList<StandingRound> History);

/// <summary>What became of a client in a round.</summary>
/// <param name="Run">The run.</param>
/// <param name="Round">The round.</param>
/// <param name="What"><c>included</c>, <c>opposed</c>, <c>left-out</c>, <c>refused</c>, <c>unused</c> or <c>missing</c>.</param>
/// <param name="Reason">Why its update was refused, or null.</param>
public sealed record StandingRound(string Run, int Round, string What, string? Reason);

/// <summary>Make a one-time code: <c>POST enrolments</c>.</summary>
/// <param name="Client">The client id it enrols; re-enrols under its name if it exists.</param>
/// <param name="Population">Default <c>default</c>.</param>
/// <param name="ValidForSeconds">Life of the code, 60 s to 30 days. Default a day.</param>
public sealed record CreateEnrolmentRequest(string Client, string Population = "default", double ValidForSeconds = 86_400);

/// <summary>The code, shown once.</summary>
/// <param name="Code">An <see cref="EnrolmentCode"/> as text.</param>
/// <param name="ExpiresAt">When it stops working.</param>
public sealed record CreateEnrolmentResponse(string Code, DateTimeOffset ExpiresAt);

/// <summary>A list of anything.</summary>
/// <param name="Items">All of it.</param>
public sealed record Listing<T>(IReadOnlyList<T> Items);
