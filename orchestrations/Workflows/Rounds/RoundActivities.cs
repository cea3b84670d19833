using FedServerless.Workflows.Engine;

namespace FedServerless.Workflows.Rounds;

/// <summary>The activities a round calls, in the order of their steps. Each writes create-once objects at deterministic names.</summary>
public static class RoundActivities
{
    /// <summary>Writes the plan and the cohort, once.</summary>
    public static Activity<RoundInput, RoundPlanned> PlanRound { get; } = new("PlanRound", RetrySpec.Storage);

    /// <summary>Makes the round visible to clients and fixes its deadline, once.</summary>
    public static Activity<RoundInput, CollectionOpened> OpenRound { get; } = new("OpenRound", RetrySpec.Storage);

    /// <summary>Counts receipts.</summary>
    public static Activity<RoundInput, CollectionCount> CountReceipts { get; } = new("CountReceipts", RetrySpec.Storage);

    /// <summary>Creates <c>closing</c>, lists the receipts, creates <c>seal</c>.</summary>
    public static Activity<RoundInput, RoundSealed> SealRound { get; } = new("SealRound", RetrySpec.Storage);

    /// <summary>Checks hash, shape, finiteness, base version and norm of one chunk of the sealed updates.</summary>
    public static Activity<ValidationChunk, int> ValidateUpdates { get; } = new("ValidateUpdates", RetrySpec.Storage);

    /// <summary>Makes verdicts into weights, once.</summary>
    public static Activity<RoundInput, RoundAccepted> AcceptUpdates { get; } = new("AcceptUpdates", RetrySpec.Storage);

    /// <summary>Charges a private round to the population's ledger, before its noise is drawn; returns the number of the ledger's entry.</summary>
    public static Activity<RoundInput, long> ChargePrivacy { get; } = new("ChargePrivacy", RetrySpec.Storage);

    /// <summary>Takes the updates' inner products over one coordinate range, for rules that compare clients.</summary>
    public static Activity<MeasureInput, int> MeasureShard { get; } = new("MeasureShard", RetrySpec.Storage);

    /// <summary>Has a robust rule decide about the accepted updates, once.</summary>
    public static Activity<RoundInput, RoundDecided> DecideAggregation { get; } = new("DecideAggregation", RetrySpec.Storage);

    /// <summary>Folds chunks of clients of one coordinate range: the first of two levels, where one activity could not fold the cohort in time.</summary>
    public static Activity<FoldInput, int> FoldChunks { get; } = new("FoldChunks", RetrySpec.Storage);

    /// <summary>Aggregates one coordinate range and applies the server optimizer to it.</summary>
    public static Activity<ReduceInput, ShardReduced> ReduceShard { get; } = new("ReduceShard", RetrySpec.Storage);

    /// <summary>Streams the slices into a version, writes its manifest, moves the pointer.</summary>
    public static Activity<RoundInput, ModelPublished> PublishModel { get; } = new("PublishModel", RetrySpec.Storage);

    /// <summary>Writes the outcome, withdraws the round, removes what is not kept.</summary>
    public static Activity<CloseInput, RoundOutcome> CloseRound { get; } = new("CloseRound", RetrySpec.Storage);

    /// <summary>Removes raw updates of a closed round.</summary>
    public static Activity<CleanInput, int> CleanUpdates { get; } = new("CleanUpdates", RetrySpec.Storage);

    /// <summary>Asks clients to evaluate the round's version.</summary>
    public static Activity<RoundInput, CollectionOpened> OpenEvaluation { get; } = new("OpenEvaluation", RetrySpec.Storage);

    /// <summary>Counts evaluations.</summary>
    public static Activity<RoundInput, CollectionCount> CountEvaluations { get; } = new("CountEvaluations", RetrySpec.Storage);

    /// <summary>Closes and seals the evaluations, withdraws the request; returns how many are sealed.</summary>
    public static Activity<RoundInput, int> SealEvaluation { get; } = new("SealEvaluation", RetrySpec.Storage);
}
