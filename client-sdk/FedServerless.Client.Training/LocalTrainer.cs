using FedServerless.Model;

namespace FedServerless.Client.Training;

/// <summary>
/// A trainer of a differentiable model and the local solver: a whole client for samples that fit in memory. Training and
/// evaluation run on the calling thread.
/// </summary>
public sealed class LocalTrainer : IFedTrainer
{
    /// <summary>Name of the metric that carries the mean training loss of the last local epoch.</summary>
    public const string TrainingLoss = "training-loss";

    private readonly Func<TensorLayout, IDifferentiableModel> _training;
    private readonly Func<TensorLayout, IDifferentiableModel> _heldOut;
    private readonly LocalSgd _solver = new();
    private IDifferentiableModel? _trainingModel;
    private IDifferentiableModel? _heldOutModel;

    /// <summary>A trainer of any differentiable model. Each is made when work for its layout first arrives, and kept.</summary>
    /// <param name="training">Makes the model bound to the samples to train on.</param>
    /// <param name="heldOut">Makes the model bound to the samples to evaluate on; null evaluates on the training samples.</param>
    public LocalTrainer(Func<TensorLayout, IDifferentiableModel> training, Func<TensorLayout, IDifferentiableModel>? heldOut = null)
    {
        ArgumentNullException.ThrowIfNull(training);
        _training = training;
        _heldOut = heldOut ?? training;
    }

    /// <summary>A trainer of the built-in architectures; which one, it reads off the model it is sent.</summary>
    /// <param name="training">Samples to train on, 1 or more.</param>
    /// <param name="heldOut">Samples to evaluate on; null evaluates on the training samples.</param>
    public static LocalTrainer BuiltIn(LabelledSamples training, LabelledSamples? heldOut = null)
    {
        ArgumentNullException.ThrowIfNull(training);
        return new LocalTrainer(
            layout => BuiltInModel.Bind(layout, training),
            heldOut is null ? null : layout => BuiltInModel.Bind(layout, heldOut));
    }

    /// <inheritdoc/>
    public bool FollowsCorrection => true;

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The model does not fit the samples.</exception>
    /// <exception cref="InvalidOperationException">Training diverged.</exception>
    public ValueTask<FitResult> FitAsync(FitContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(context);
        var objective = Bind(ref _trainingModel, _training, context.Model.Layout);
        var result = _solver.Fit(objective, context.Model, context.Training, context.Seed, context.Correction.Span, cancellationToken);
        if (result.Diverged)
        {
            throw new InvalidOperationException(
                $"Local training diverged after {result.Steps} steps (the loss is {result.Loss}); a learning rate below {context.Training.LearningRate} may help.");
        }

        var metrics = new Dictionary<string, double> { [TrainingLoss] = result.Loss };
        return ValueTask.FromResult(new FitResult(objective.SampleCount, metrics));
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The model does not fit the samples.</exception>
    /// <exception cref="InvalidOperationException">The model's loss is not finite.</exception>
    public ValueTask<EvaluationResult> EvaluateAsync(EvaluateContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(context);
        var result = Bind(ref _heldOutModel, _heldOut, context.Model.Layout).Evaluate(context.Model, cancellationToken);
        return double.IsFinite(result.Loss)
            ? ValueTask.FromResult(result)
            : throw new InvalidOperationException($"The model of round {context.Round} is worthless here: its loss is {result.Loss}.");
    }

    private static IDifferentiableModel Bind(
        ref IDifferentiableModel? bound, Func<TensorLayout, IDifferentiableModel> bind, TensorLayout layout)
    {
        if (bound is null || bound.Layout.Digest != layout.Digest)
        {
            bound = bind(layout);
        }

        return bound;
    }
}
