using FedServerless.Wire;

namespace FedServerless.Activities.Rounds;

/// <summary>What was chosen for the clients of a round, as metrics: their means are in the round's view and log.</summary>
internal static class ChoiceMetrics
{
    /// <summary>Passes over the local samples.</summary>
    public const string Epochs = "lease.epochs";

    /// <summary>Samples a step.</summary>
    public const string BatchSize = "lease.batchSize";

    /// <summary>A receipt's metrics and, in a round that adapts, its choice; a client's own metrics of these names give way.</summary>
    public static IReadOnlyDictionary<string, double> Add(Receipt receipt) => receipt.Choice is not { } choice
        ? receipt.Metrics
        : new Dictionary<string, double>(receipt.Metrics) { [Epochs] = choice.Epochs, [BatchSize] = choice.BatchSize };
}
