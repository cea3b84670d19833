namespace FedServerless.Client;

/// <summary>
/// What an edge application writes: train the model it is handed on local samples, and measure a model on local samples. The
/// client does the rest. Calls never overlap; one that throws costs the client that round, nothing more.
/// </summary>
public interface IFedTrainer
{
    /// <summary>
    /// True for a trainer that adds <see cref="FitContext.Correction"/> to every gradient, and takes the epochs and batches of the training it is
    /// given: rounds whose solver is <c>scaffold</c> or <c>feddyn</c> are left to others unless it is. Default false.
    /// </summary>
    bool FollowsCorrection => false;

    /// <summary>Trains <see cref="FitContext.Model"/> in place; the client sends the difference from where it started.</summary>
    /// <param name="context">The model and how to train it.</param>
    /// <param name="cancellationToken">Cancelled at the round's deadline and when the client stops.</param>
    /// <returns>How many local samples were trained on, and metrics for the operator.</returns>
    ValueTask<FitResult> FitAsync(FitContext context, CancellationToken cancellationToken);

    /// <summary>Measures <see cref="EvaluateContext.Model"/> on local samples.</summary>
    /// <param name="context">The model.</param>
    /// <param name="cancellationToken">Cancelled when evaluations close and when the client stops.</param>
    /// <returns>How many local samples were used, and the mean loss.</returns>
    ValueTask<EvaluationResult> EvaluateAsync(EvaluateContext context, CancellationToken cancellationToken);
}
