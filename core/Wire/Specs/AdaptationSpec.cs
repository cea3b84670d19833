namespace FedServerless.Wire;

/// <summary>
/// How far a round adapts to its clients: the operator's bounds, within which <see cref="Adaptation.AdaptationPolicy"/> chooses from what
/// devices have measured. What has no bounds here is the same for everybody.
/// </summary>
public sealed record AdaptationSpec
{
    /// <summary>Fewest passes over the local samples, 1 to <see cref="MaxEpochs"/>; null, as <see cref="MaxEpochs"/> then is, for <c>training.epochs</c>.</summary>
    public int? MinEpochs { get; init; }

    /// <summary>Most passes over the local samples, <see cref="MinEpochs"/> to <see cref="RunLimits.MaxEpochs"/>.</summary>
    public int? MaxEpochs { get; init; }

    /// <summary>Fewest samples a step, 1 to <see cref="MaxBatchSize"/>; null, as <see cref="MaxBatchSize"/> then is, for <c>training.batchSize</c>.</summary>
    public int? MinBatchSize { get; init; }

    /// <summary>Most samples a step, <see cref="MinBatchSize"/> to <see cref="RunLimits.MaxBatchSize"/>.</summary>
    public int? MaxBatchSize { get; init; }

    /// <summary>
    /// Time that a client's part in a round should take, transfers included, in seconds, above 0, at most <c>round.deadlineSeconds</c>; null for
    /// half of that.
    /// </summary>
    public double? TargetSeconds { get; init; }

    /// <summary>
    /// Codecs that a round may use, each once, <c>update.codec</c> among them, the one to prefer first. A round has one codec, chosen when it is
    /// planned, by the uplinks of its population. Empty for <c>update.codec</c> alone.
    /// </summary>
    public IReadOnlyList<string> Codecs { get; set; } = [];

    /// <summary>Shortest time between two rounds of one client, in seconds, 0 to <see cref="RunLimits.MaxRestSeconds"/>; null for none.</summary>
    public double? MinIntervalSeconds { get; init; }

    /// <summary>
    /// Most bytes of models and updates that a client moves in a day of UTC, 1 to <see cref="RunLimits.MaxBytesPerDay"/>; null for no bound. Its
    /// rounds are spread over the day.
    /// </summary>
    public long? MaxBytesPerDay { get; init; }
}
