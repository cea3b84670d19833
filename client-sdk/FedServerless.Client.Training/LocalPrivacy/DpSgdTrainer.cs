using FedServerless.Model;
using FedServerless.Privacy;

namespace FedServerless.Client.Training;

/// <summary>
/// A trainer for a site that does not trust the server: what it sends was made by <see cref="DpSgd"/>. It sends no metrics, claims the declared number of
/// examples instead of the true one, and does not evaluate, since nothing of that would carry noise.
/// </summary>
public sealed class DpSgdTrainer : IFedTrainer
{
    private readonly Func<TensorLayout, IDifferentiableModel> _training;
    private readonly DpSgdOptions _options;
    private readonly DpSgd _solver;
    private IDifferentiableModel? _bound;

    /// <summary>A trainer of any differentiable model without buffers.</summary>
    /// <param name="training">Makes the model bound to the examples to train on.</param>
    /// <param name="options">The site's options.</param>
    /// <exception cref="ArgumentException">Options are out of their ranges; all problems at once.</exception>
    public DpSgdTrainer(Func<TensorLayout, IDifferentiableModel> training, DpSgdOptions options)
        : this(training, options, SystemEntropy.Instance)
    {
    }

    internal DpSgdTrainer(Func<TensorLayout, IDifferentiableModel> training, DpSgdOptions options, EntropySource entropy)
    {
        ArgumentNullException.ThrowIfNull(training);
        (_training, _options, _solver) = (training, options, new DpSgd(options, entropy));
    }

    /// <summary>A trainer of the built-in architectures; which one, it reads off the model it is sent.</summary>
    /// <param name="training">Examples to train on, 1 or more.</param>
    /// <param name="options">The site's options.</param>
    /// <exception cref="ArgumentException">Options are out of their ranges; all problems at once.</exception>
    public static DpSgdTrainer BuiltIn(LabelledSamples training, DpSgdOptions options)
    {
        ArgumentNullException.ThrowIfNull(training);
        return new DpSgdTrainer(layout => BuiltInModel.Bind(layout, training), options);
    }

    /// <summary>What was spent so far; <see cref="DpSgd.Report"/>.</summary>
    public DpSgdReport Report() => _solver.Report();

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The model does not fit the examples, or has buffers.</exception>
    /// <exception cref="PrivacyBudgetSpentException">The budget does not admit the round.</exception>
    public ValueTask<FitResult> FitAsync(FitContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (_bound is null || _bound.Layout.Digest != context.Model.Layout.Digest)
        {
            _bound = _training(context.Model.Layout);
        }

        _solver.Fit(_bound, context.Model, context.Training, context.Run, context.Round, cancellationToken);
        return ValueTask.FromResult(new FitResult(_options.Samples));
    }

    /// <summary>Refuses: an evaluation's numbers carry no noise.</summary>
    /// <exception cref="NotSupportedException">Always.</exception>
    public ValueTask<EvaluationResult> EvaluateAsync(EvaluateContext context, CancellationToken cancellationToken) =>
        ValueTask.FromException<EvaluationResult>(new NotSupportedException("This client trains with local privacy and does not evaluate: loss and accuracy would carry no noise."));
}
