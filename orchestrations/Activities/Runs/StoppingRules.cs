using FedServerless.Activities.State;
using FedServerless.Storage;
using FedServerless.Wire;

namespace FedServerless.Activities.Runs;

/// <summary>Convergence and early stopping. They read sealed evaluations and nothing else.</summary>
internal static class StoppingRules
{
    /// <summary>Why the run is done after <paramref name="round"/>, or null to go on.</summary>
    public static async Task<string?> FindAsync(
        IObjectStore store, string run, int round, EvaluationSpec spec, CancellationToken cancellationToken)
    {
        if (round < 1)
        {
            return null;
        }

        var stored = await store.FindAsync(StoreNames.EvaluationSeal(run, round), StoreJson.Default.EvaluationSealDocument, cancellationToken);
        if (stored?.Value is not { } seal)
        {
            return null;
        }

        if (spec.TargetAccuracy is { } target && seal.Metrics.TryGetValue(MetricNames.Accuracy, out var accuracy) && accuracy >= target)
        {
            return $"accuracy {accuracy:F4} reached the target {target}";
        }

        return spec.Patience is { } patience && seal.SinceBest >= patience
            ? $"the loss has not improved on {seal.BestLoss:F6} for {seal.SinceBest} evaluations"
            : null;
    }
}

/// <summary>Metrics with a meaning of their own.</summary>
public static class MetricNames
{
    /// <summary>Mean loss per sample.</summary>
    public const string Loss = "loss";

    /// <summary>Share of samples classified right, 0 to 1.</summary>
    public const string Accuracy = "accuracy";
}
