namespace FedServerless.Workflows.Rounds;

/// <summary>Names a round.</summary>
/// <param name="Run">The run.</param>
/// <param name="Round">From 1.</param>
public sealed record RoundInput(string Run, int Round);

/// <summary>A plan in brief.</summary>
/// <param name="Cohort">Clients selected; 0 when chance selected nobody.</param>
/// <param name="Shards">Coordinate shards to reduce.</param>
/// <param name="IsPrivate">True for a round under differential privacy: it collects even for nobody, and is charged before its noise is drawn.</param>
public sealed record RoundPlanned(int Cohort, int Shards, bool IsPrivate = false);

/// <summary>Collecting began.</summary>
/// <param name="OpenedAt">When.</param>
/// <param name="Deadline">When it ends at the latest.</param>
public sealed record CollectionOpened(DateTimeOffset OpenedAt, DateTimeOffset Deadline);

/// <summary>How far collecting is.</summary>
/// <param name="Received">Receipts or evaluations so far.</param>
/// <param name="Finished">True when the quorum is there, the operator stopped the run, or it is sealed already.</param>
public sealed record CollectionCount(int Received, bool Finished);

/// <summary>A seal in brief.</summary>
/// <param name="Aggregate">True to aggregate, false when abandoned.</param>
/// <param name="Chunks">Chunks of sealed updates to validate.</param>
public sealed record RoundSealed(bool Aggregate, int Chunks);

/// <summary>One chunk of a round's sealed updates.</summary>
/// <param name="Run">The run.</param>
/// <param name="Round">The round.</param>
/// <param name="Chunk">From 0.</param>
public sealed record ValidationChunk(string Run, int Round, int Chunk);

/// <summary>The accepted set in brief.</summary>
/// <param name="Accepted">Sound updates.</param>
/// <param name="Enough">True when they reach the minimum.</param>
/// <param name="Folds">Fold activities that come before the shards; 0 when one level will do, or the rule has yet to decide.</param>
/// <param name="Measures">Activities that take the updates' inner products, for rules that compare clients; else 0.</param>
/// <param name="Decides">True when a robust rule decides about the updates.</param>
public sealed record RoundAccepted(int Accepted, bool Enough, int Folds = 0, int Measures = 0, bool Decides = false);

/// <summary>What a robust rule decided, in brief.</summary>
/// <param name="Refusal">Why there is no aggregate, or null.</param>
/// <param name="Folds">Fold activities that come before the shards.</param>
public sealed record RoundDecided(string? Refusal, int Folds);

/// <summary>One task of measuring.</summary>
/// <param name="Run">The run.</param>
/// <param name="Round">The round.</param>
/// <param name="Shard">The coordinate shard, of parameters.</param>
public sealed record MeasureInput(string Run, int Round, int Shard);

/// <summary>One task of the first of two levels of a reduction.</summary>
/// <param name="Run">The run.</param>
/// <param name="Round">The round.</param>
/// <param name="Task">From 0; the plan says which shard and which chunks of clients it stands for.</param>
public sealed record FoldInput(string Run, int Round, int Task);

/// <summary>One task of cleaning after a round.</summary>
/// <param name="Run">The run.</param>
/// <param name="Round">The round.</param>
/// <param name="Task">From 0; the plan says which prefixes it stands for.</param>
public sealed record CleanInput(string Run, int Round, int Task);

/// <summary>Some tasks of a stage.</summary>
/// <param name="Run">The run.</param>
/// <param name="Round">The round.</param>
/// <param name="Stage">Which stage.</param>
/// <param name="First">The first task.</param>
/// <param name="Count">How many, at most <see cref="Engine.WorkflowLimits.MaxFanOut"/>.</param>
public sealed record StageInput(string Run, int Round, RoundStage Stage, int First, int Count);

/// <summary>Some tasks of a stage are done.</summary>
/// <param name="Finite">False when one of them came to values that are not finite.</param>
public sealed record StageDone(bool Finite);

/// <summary>The stages of a round that are shared out.</summary>
public enum RoundStage
{
    /// <summary>Verdicts on chunks of sealed updates.</summary>
    Validate = 0,

    /// <summary>Inner products of the updates, for rules that compare clients.</summary>
    Measure,

    /// <summary>Sums over chunks of clients, the first of two levels.</summary>
    Fold,

    /// <summary>Coordinate shards.</summary>
    Reduce,

    /// <summary>Raw updates go.</summary>
    Clean,
}

/// <summary>One coordinate range of a round's reduction.</summary>
/// <param name="Run">The run.</param>
/// <param name="Round">The round.</param>
/// <param name="Shard">From 0.</param>
public sealed record ReduceInput(string Run, int Round, int Shard);

/// <summary>A shard was reduced.</summary>
/// <param name="Finite">False when the result has a value that is not finite: nothing may be published.</param>
public sealed record ShardReduced(bool Finite);

/// <summary>Close a round.</summary>
/// <param name="Run">The run.</param>
/// <param name="Round">The round.</param>
/// <param name="Reason">Why nothing was published, or null.</param>
/// <param name="Version">The published version, or null.</param>
public sealed record CloseInput(string Run, int Round, string? Reason, string? Version);

/// <summary>What publishing did.</summary>
/// <param name="Version">The version the model's pointer moved to, or null.</param>
/// <param name="Reason">Why it did not move, or null.</param>
public sealed record ModelPublished(string? Version, string? Reason);

/// <summary>How a round ended.</summary>
/// <param name="Kind">Published or abandoned.</param>
/// <param name="Reason">Why abandoned, or null.</param>
/// <param name="Version">The version, or null.</param>
/// <param name="EvaluationDue">True when the run wants the version evaluated now.</param>
/// <param name="CleanTasks">Activities that remove raw updates; 0 when closing did it, or they are kept.</param>
public sealed record RoundOutcome(RoundOutcomeKind Kind, string? Reason, string? Version, bool EvaluationDue, int CleanTasks = 0);

/// <summary>The ways a round ends.</summary>
public enum RoundOutcomeKind
{
    /// <summary>A new version is served.</summary>
    Published = 0,

    /// <summary>Nothing changed but the round's number.</summary>
    Abandoned,
}
