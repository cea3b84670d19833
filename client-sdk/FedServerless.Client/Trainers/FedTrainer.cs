namespace FedServerless.Client;

/// <summary>Makes a trainer of delegates, for clients too small for a class of their own.</summary>
public static class FedTrainer
{
    /// <summary>A trainer of two methods.</summary>
    /// <param name="fit">Trains the model in place.</param>
    /// <param name="evaluate">Measures a model; null for a client that does not evaluate: it passes such work over.</param>
    public static IFedTrainer Create(Func<FitContext, FitResult> fit, Func<EvaluateContext, EvaluationResult>? evaluate = null)
    {
        ArgumentNullException.ThrowIfNull(fit);
        return new DelegateTrainer(
            (context, _) => ValueTask.FromResult(fit(context)),
            evaluate is null ? null : (context, _) => ValueTask.FromResult(evaluate(context)));
    }

    /// <summary>A trainer of two asynchronous methods.</summary>
    /// <param name="fit">Trains the model in place.</param>
    /// <param name="evaluate">Measures a model; null for a client that does not evaluate: it passes such work over.</param>
    public static IFedTrainer Create(
        Func<FitContext, CancellationToken, ValueTask<FitResult>> fit,
        Func<EvaluateContext, CancellationToken, ValueTask<EvaluationResult>>? evaluate = null)
    {
        ArgumentNullException.ThrowIfNull(fit);
        return new DelegateTrainer(fit, evaluate);
    }

    private sealed class DelegateTrainer(
        Func<FitContext, CancellationToken, ValueTask<FitResult>> fit,
        Func<EvaluateContext, CancellationToken, ValueTask<EvaluationResult>>? evaluate) : IFedTrainer
    {
        public ValueTask<FitResult> FitAsync(FitContext context, CancellationToken cancellationToken) => fit(context, cancellationToken);

        public ValueTask<EvaluationResult> EvaluateAsync(EvaluateContext context, CancellationToken cancellationToken) => evaluate is null
            ? ValueTask.FromException<EvaluationResult>(new NotSupportedException("This client does not evaluate."))
            : evaluate(context, cancellationToken);
    }
}
