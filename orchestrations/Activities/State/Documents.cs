using System.Text.Json.Serialization;
using FedServerless.Capacity;
using FedServerless.Privacy;
using FedServerless.Wire;

namespace FedServerless.Activities.State;

/// <summary>A run as created.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Spec">What was asked for, with every default made.</param>
/// <param name="Privacy">What a private run does in every round; null for any other.</param>
public sealed record RunDocument(
    string Id, RunSpec Spec, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] PrivacyTerms? Privacy = null)
{
    /// <summary>A run as it is created from a legal spec.</summary>
    /// <exception cref="ArgumentException">No noise keeps the ε asked for.</exception>
    public static RunDocument Create(string id, RunSpec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        return new RunDocument(id, spec, spec.Privacy is null ? null : PrivacyTerms.Of(spec));
    }
}

/// <summary>What the operator wants of a run.</summary>
/// <param name="Desired"><c>run</c>, <c>pause</c> or <c>stop</c>.</param>
/// <param name="Reason">The operator's words, or null.</param>
public sealed record ControlDocument(string Desired, string? Reason);

/// <summary>How a run ended.</summary>
/// <param name="State">A final one of <see cref="RunStates"/>.</param>
/// <param name="Reason">Why.</param>
/// <param name="Round">The last round.</param>
/// <param name="Published">Rounds that published.</param>
/// <param name="Version">The last version published, or null.</param>
public sealed record RunOutcomeDocument(string State, string? Reason, int Round, int Published, string? Version);

/// <summary>A started run that has not ended.</summary>
/// <param name="Instance">Its workflow instance, for wakes.</param>
public sealed record ActiveRunDocument(string Instance);

/// <summary>A round with every default and every random choice made, so that it replays.</summary>
public sealed record RoundPlan
{
    /// <summary>The run.</summary>
    public required string Run { get; init; }

    /// <summary>From 1.</summary>
    public required int Round { get; init; }

    /// <summary>The population.</summary>
    public required string Population { get; init; }

    /// <summary>The model.</summary>
    public required string Model { get; init; }

    /// <summary>The version the round starts from.</summary>
    public required string BaseVersion { get; init; }

    /// <summary>Its weights.</summary>
    public required StoredArtifact Base { get; init; }

    /// <summary>Its server-optimizer state, where it has one.</summary>
    public StoredArtifact? OptimizerState { get; init; }

    /// <summary>Layout of the model.</summary>
    public required Digest Layout { get; init; }

    /// <summary>Float32 parameters of the model.</summary>
    public required long Parameters { get; init; }

    /// <summary>Float32 buffer values of the model.</summary>
    public required long Buffers { get; init; }

    /// <summary>Local training.</summary>
    public required TrainingSpec Training { get; init; }

    /// <summary>Rule and weighting.</summary>
    public required AggregationSpec Aggregation { get; init; }

    /// <summary>Server optimizer.</summary>
    public required OptimizerSpec Optimizer { get; init; }

    /// <summary>Codec, blocks and parts.</summary>
    public required UpdateSpec Update { get; init; }

    /// <summary>Seed of the round's chance; clients get seeds derived from it.</summary>
    public required long Seed { get; init; }

    /// <summary>Who was selected.</summary>
    public required CohortReference Cohort { get; init; }

    /// <summary>Receipts that close the round.</summary>
    public required int Quorum { get; init; }

    /// <summary>Fewest accepted updates to publish.</summary>
    public required int Minimum { get; init; }

    /// <summary>Longest time the round collects.</summary>
    public required double DeadlineSeconds { get; init; }

    /// <summary>Coordinates a reduce shard has: a multiple of <see cref="RoundGeometry.SuperBlock"/>.</summary>
    public required long ShardCoordinates { get; init; }

    /// <summary>Keep raw updates when the round closes.</summary>
    public required bool RetainUpdates { get; init; }

    /// <summary>How far the round adapts to its clients; null for not at all.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public AdaptationSpec? Adaptation { get; init; }

    /// <summary>Copies of the base that devices fetch from, see <see cref="StoreNames.ModelCopy"/>; 0 or 1 for the base itself.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public int ModelCopies { get; init; }

    /// <summary>Copies of each encoded file that devices fetch the base by; 0 or 1, and in plans from before there were any, for the file itself.</summary>
    public int DownloadCopies { get; init; }

    /// <summary>What the training's solver remembers; null for one without a memory.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public SolverPlan? Solver { get; init; }

    /// <summary>How the base travels; null for the model's own file alone.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DownloadSpec? Download { get; init; }

    /// <summary>How the work is shared out; null in a plan from before there was a choice: see <see cref="RoundTasks"/>.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ReductionPlan? Reduction { get; init; }

    /// <summary>Clipping, grid and noise of a private round; null for any other.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public RoundPrivacy? Privacy { get; init; }
}

/// <summary>What a private round does to its updates.</summary>
/// <param name="Clip">C of this round, for clipping and noise alike.</param>
/// <param name="GridBits">k: the sums live on multiples of C·2⁻ᵏ.</param>
/// <param name="Terms">The run's.</param>
public sealed record RoundPrivacy(double Clip, int GridBits, PrivacyTerms Terms)
{
    /// <summary>The grid.</summary>
    [JsonIgnore]
    public UpdateGrid Grid => new(Clip, GridBits);

    /// <summary>What is charged.</summary>
    [JsonIgnore]
    public NoisyRelease Release => Terms.Release(GridBits);

    /// <summary>Adaptive clipping, or null for a fixed C.</summary>
    [JsonIgnore]
    public AdaptiveClip? Adaptive => Terms.AdaptiveClip is { } terms
        ? new AdaptiveClip(Terms.NoiseMultiplier, terms.BitNoise, terms.Quantile, terms.LearningRate)
        : null;

    /// <summary>The noise multiplier of the sum of deltas: z, or more where the bits of adaptive clipping take their share.</summary>
    [JsonIgnore]
    public double DeltaNoiseMultiplier => Adaptive?.DeltaNoiseMultiplier ?? Terms.NoiseMultiplier;
}

/// <summary>How the clipping norm went on after a round that adapts it; made of noised bits alone.</summary>
/// <param name="NoisyBits">The sum of centred bits in steps, with its noise.</param>
/// <param name="Next">C of the next round.</param>
public sealed record ClipDocument(long NoisyBits, double Next);

/// <summary>What makes a private round's commitment impossible to guess.</summary>
/// <param name="Salt">32 bytes, base64.</param>
public sealed record CommitmentDocument(string Salt);

/// <summary>An object with its content's digest.</summary>
/// <param name="Object">Its name in the store.</param>
/// <param name="Bytes">Its length.</param>
/// <param name="Digest">SHA-256 of all of it.</param>
public sealed record StoredArtifact(string Object, long Bytes, Digest Digest);

/// <summary>A cohort by content: its shards lie at <see cref="StoreNames.CohortShard"/>.</summary>
/// <param name="Count">Clients in it.</param>
/// <param name="Digest">SHA-256 of the sorted client ids, each followed by a line feed.</param>
/// <param name="Shards">A power of two; a client is in the shard that <see cref="Cohort.ShardOf"/> gives.</param>
public sealed record CohortReference(int Count, Digest Digest, int Shards);

/// <summary>A shard of a cohort.</summary>
/// <param name="Clients">Sorted, ordinal.</param>
public sealed record CohortShardDocument(IReadOnlyList<string> Clients);

/// <summary>A round that is open.</summary>
/// <param name="OpenedAt">When.</param>
/// <param name="Deadline">When it closes at the latest.</param>
public sealed record OpenDocument(DateTimeOffset OpenedAt, DateTimeOffset Deadline);

/// <summary>A receipt as stored, with the proof of who sent it.</summary>
/// <param name="Receipt">The claim.</param>
/// <param name="Body">The request's body, base64: exactly what <see cref="Proof"/> signs.</param>
/// <param name="Proof">The compact JWS of the request.</param>
/// <param name="KeyThumbprint">RFC 7638 thumbprint of the key it was checked with.</param>
public sealed record ReceiptDocument(Receipt Receipt, string Body, string Proof, string KeyThumbprint)
{
    /// <summary>True for what a private round's close leaves: it says that there was a receipt, and nothing of what was in it.</summary>
    [JsonIgnore]
    public bool IsBare => Receipt.HeaderDigest == default && Body.Length == 0;

    /// <summary>What a private round's close leaves of it. The proof signs the body, and the body has the counts and the bit: both go, as does the length, which follows from the values where a codec is sparse.</summary>
    public ReceiptDocument Bare() => new(
        Receipt with { HeaderDigest = default, Bytes = 0, Samples = 1, Metrics = new Dictionary<string, double>(), WithinClip = null, PartBytes = null }, "", "", KeyThumbprint);
}

/// <summary>The one object that decides a round.</summary>
/// <param name="Aggregate">True to aggregate, false to abandon.</param>
/// <param name="Reason">Why abandoned, or how it closed (<c>quorum</c>, <c>deadline</c>).</param>
/// <param name="Receipts">Clients whose receipts count, sorted, ordinal.</param>
/// <param name="Revoked">Those of them that were revoked by then, whose updates are refused; null for none.</param>
/// <param name="Uninvited">Those of them that are not in the cohort; null in a seal from before it was looked up once.</param>
public sealed record SealDocument(
    bool Aggregate, string Reason, IReadOnlyList<string> Receipts,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<string>? Revoked = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<string>? Uninvited = null);

/// <summary>Verdicts on a chunk of sealed updates.</summary>
/// <param name="Verdicts">In the order of the seal.</param>
public sealed record VerdictsDocument(IReadOnlyList<Verdict> Verdicts);

/// <summary>What was found out about a sealed update.</summary>
/// <param name="Client">Whose.</param>
/// <param name="Reason">Why it is refused, or null when it is sound.</param>
/// <param name="Header">Its header's digest.</param>
/// <param name="Norm">L2 norm of its parameters; 0 when refused.</param>
/// <param name="Samples">Samples claimed, capped by the plan.</param>
/// <param name="Bytes">Header and payload.</param>
/// <param name="Metrics">As claimed; empty in a private round.</param>
/// <param name="Private">How it goes onto the grid of a private round; null when refused, and in any other round.</param>
/// <param name="Steps">Gradient steps that the plan gives the claimed samples, uncapped; null where the solver does not reckon with them.</param>
/// <param name="PartBytes">The part size that the client chose; null for the plan's.</param>
public sealed record Verdict(
    string Client, string? Reason, Digest Header, double Norm, long Samples, long Bytes, IReadOnlyDictionary<string, double> Metrics,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] PrivateUpdate? Private = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] long? Steps = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] int? PartBytes = null);

/// <summary>What a private round needs of an update. Made of un-noised values: it goes when the round closes.</summary>
/// <param name="Scale">How its coordinates get onto the grid.</param>
/// <param name="WithinClip">The bit of adaptive clipping, or null where it was not asked or not sent.</param>
public sealed record PrivateUpdate(GridScale Scale, bool? WithinClip);

/// <summary>The verdicts of a round and the weights that follow; every later step reads only this.</summary>
/// <param name="Accepted">Sound updates in the order of client ids.</param>
/// <param name="Refused">The others.</param>
/// <param name="Scale">What the weighted mean is multiplied by; null for 1.</param>
public sealed record AcceptedDocument(
    IReadOnlyList<AcceptedUpdate> Accepted, IReadOnlyList<Refusal> Refused,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] double? Scale = null);

/// <summary>An update that goes into the model.</summary>
/// <param name="Client">Whose.</param>
/// <param name="Header">Its header's digest.</param>
/// <param name="Weight">Its weight before division by the sum of weights; above 0.</param>
/// <param name="Norm">L2 norm of its parameters; 0 in a private round.</param>
/// <param name="Private">How it goes onto the grid of a private round that is not closed; else null.</param>
/// <param name="Steps">Gradient steps behind it; null where the solver does not reckon with them.</param>
/// <param name="BufferWeight">What its buffers weigh, where that is not <paramref name="Weight"/>; null where it is.</param>
/// <param name="PartBytes">The part size that the client chose; null for the plan's.</param>
public sealed record AcceptedUpdate(
    string Client, Digest Header, double Weight, double Norm,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] PrivateUpdate? Private = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] long? Steps = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] double? BufferWeight = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] int? PartBytes = null);

/// <summary>What a round's policy chose for a client when it first gave it a lease, and from which measurements.</summary>
/// <param name="Choice">The choice.</param>
/// <param name="Measured">What the client had measured by then; null for nothing.</param>
public sealed record LeaseDocument(LeaseChoice Choice, DeviceMeasurements? Measured);

/// <summary>What a robust rule made of the accepted updates.</summary>
/// <param name="Refusal">Why there is no aggregate, or null.</param>
/// <param name="Kind">The last pass over the coordinates.</param>
/// <param name="Weights">In the order of the accepted updates: of a weighted sum what each weighs, else 1 for those that take part; 0 for those left out.</param>
/// <param name="Previous">What the model's previous step weighs in a weighted sum; 0 for rules that do not start from it.</param>
/// <param name="Trim">Values off each end, of a trimmed mean.</param>
/// <param name="Keep">Values kept, of a mean around the median.</param>
/// <param name="Mixing">Rows made before the pass: the places of the clients, among those that take part, whose mean each is; null for none.</param>
/// <param name="Scores">What the rule thought of each client; empty for rules without scores, or of mixed rows.</param>
/// <param name="Steps">Steps of an iterative rule.</param>
/// <param name="Cosines">The cosine between each client's update and a weighted sum; null for other passes, and in a decision from before it was looked at.</param>
/// <param name="BufferWeights">What each client's buffers weigh, where that is not <paramref name="Weights"/>; null where it is.</param>
public sealed record DecisionDocument(
    string? Refusal, string Kind, IReadOnlyList<double> Weights, double Previous, int Trim, int Keep,
    IReadOnlyList<IReadOnlyList<int>>? Mixing, IReadOnlyList<double> Scores, int Steps,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<double>? Cosines = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<double>? BufferWeights = null);

/// <summary>How a round ended.</summary>
/// <param name="Published">True when it published <see cref="Version"/>.</param>
/// <param name="Reason">Why abandoned, else null.</param>
/// <param name="Version">The version, or null.</param>
/// <param name="Cohort">Clients selected.</param>
/// <param name="Receipts">Receipts sealed.</param>
/// <param name="Accepted">Updates in the model.</param>
/// <param name="BytesUp">Bytes of the sealed updates.</param>
/// <param name="BytesDown">Sealed receipts times the bytes of the shortest whole file of the base that the round serves: an upper bound with deltas.</param>
/// <param name="Metrics">Means over accepted receipts, weighted by samples.</param>
/// <param name="PublishedRounds">Rounds published up to and with this one.</param>
/// <param name="AbandonedInRow">Rounds abandoned since the last published one, this one included.</param>
/// <param name="Account">What it used; null in an outcome from before that was counted.</param>
public sealed record RoundOutcomeDocument(
    bool Published, string? Reason, string? Version, int Cohort, int Receipts, int Accepted, long BytesUp, long BytesDown,
    IReadOnlyDictionary<string, double> Metrics, int PublishedRounds, int AbandonedInRow,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] RoundAccount? Account = null);

/// <summary>What a round used, as known when it closed. What it used since lies at <see cref="StoreNames.RoundUsage"/>.</summary>
/// <param name="Servers">Activities and requests, over all hosts.</param>
/// <param name="Devices">Transfers of devices straight from and to the store, worked out from the sealed receipts.</param>
/// <param name="Before">All that the run's rounds before it used.</param>
public sealed record RoundAccount(ResourceUsage Servers, ResourceUsage Devices, ResourceUsage Before)
{
    /// <summary>The round: servers and devices.</summary>
    [JsonIgnore]
    public ResourceUsage Round => Servers + Devices;
}

/// <summary>A version of a model.</summary>
/// <param name="Model">The model.</param>
/// <param name="Version">The version's name.</param>
/// <param name="Parent">The version it came from, or null.</param>
/// <param name="ParentManifest">SHA-256 of the parent's manifest, or null: manifests form a chain.</param>
/// <param name="Run">The run that made it, or null.</param>
/// <param name="Round">The round that made it, or 0.</param>
/// <param name="Weights">The safetensors file, canonical order.</param>
/// <param name="OptimizerState">The server optimizer's state, or null.</param>
/// <param name="Optimizer">The server optimizer whose state it is, or null.</param>
/// <param name="Layout">Digest of the tensor layout.</param>
/// <param name="Plan">SHA-256 of the round's plan, or null.</param>
/// <param name="Seal">SHA-256 of the round's seal, or null.</param>
/// <param name="AcceptedDigest">SHA-256 of the round's accepted document, or null.</param>
/// <param name="Accepted">Updates in it.</param>
/// <param name="Metrics">Means over accepted receipts, weighted by samples.</param>
/// <param name="Privacy">Of a version that a private round made; null for any other.</param>
/// <param name="Solver">What the run's solver remembers, or null.</param>
public sealed record ModelManifest(
    string Model, string Version, string? Parent, Digest? ParentManifest, string? Run, int Round, StoredArtifact Weights,
    StoredArtifact? OptimizerState, string? Optimizer, Digest Layout, Digest? Plan, Digest? Seal, Digest? AcceptedDigest, int Accepted,
    IReadOnlyDictionary<string, double> Metrics,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] ManifestPrivacy? Privacy = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] SolverState? Solver = null);

/// <summary>
/// What a version says of the private round that made it, instead of who took part: no digest of plan, seal or receipts, which a guess of
/// the cohort could be held against, no count, no metric.
/// </summary>
/// <param name="Commitment">SHA-256 of a secret salt and the digests of plan and seal: opens by publishing the salt.</param>
/// <param name="Release">What was charged.</param>
public sealed record ManifestPrivacy(Digest Commitment, NoisyRelease Release);

/// <summary>Which version a model serves.</summary>
/// <param name="Version">The version.</param>
/// <param name="Manifest">SHA-256 of its manifest.</param>
public sealed record PointerDocument(string Version, Digest Manifest);

/// <summary>Evaluation of a version, open.</summary>
/// <param name="OpenedAt">When.</param>
/// <param name="Deadline">When it closes at the latest.</param>
/// <param name="Model">The model.</param>
/// <param name="Version">The version.</param>
/// <param name="Artifact">Its weights.</param>
/// <param name="Layout">Its layout.</param>
/// <param name="Clients">Who is asked, sorted, ordinal.</param>
public sealed record EvaluationOpenDocument(
    DateTimeOffset OpenedAt, DateTimeOffset Deadline, string Model, string Version, StoredArtifact Artifact, Digest Layout,
    IReadOnlyList<string> Clients);

/// <summary>An evaluation as stored, with the proof of who sent it.</summary>
/// <param name="Evaluation">The claim.</param>
/// <param name="Body">The request's body, base64: exactly what <see cref="Proof"/> signs.</param>
/// <param name="Proof">The compact JWS of the request.</param>
/// <param name="KeyThumbprint">RFC 7638 thumbprint of the key it was checked with.</param>
public sealed record EvaluationDocument(Evaluation Evaluation, string Body, string Proof, string KeyThumbprint);

/// <summary>Sealed evaluations of a version.</summary>
/// <param name="Clients">Whose evaluations count, sorted, ordinal.</param>
/// <param name="Samples">Samples in all.</param>
/// <param name="Metrics">Means weighted by samples.</param>
/// <param name="BestLoss">Smallest mean loss up to and with this evaluation, or null before the first.</param>
/// <param name="SinceBest">Evaluations with a loss since the one with the smallest mean loss.</param>
public sealed record EvaluationSealDocument(
    IReadOnlyList<string> Clients, long Samples, IReadOnlyDictionary<string, double> Metrics, double? BestLoss, int SinceBest);

/// <summary>An entry of a run's log as stored; its number is its place in the listing.</summary>
/// <param name="Time">When it was written; for people.</param>
/// <param name="Kind">What happened.</param>
/// <param name="Round">The round, or 0.</param>
/// <param name="Client">The client concerned, or null.</param>
/// <param name="Message">A sentence for people.</param>
/// <param name="Values">Numbers of the event.</param>
public sealed record LogDocument(
    DateTimeOffset Time, string Kind, int Round, string? Client, string Message, IReadOnlyDictionary<string, double> Values);
