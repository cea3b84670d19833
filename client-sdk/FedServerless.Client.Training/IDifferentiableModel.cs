using FedServerless.Model;

namespace FedServerless.Client.Training;

/// <summary>
/// A model bound to local samples: flat weights in, loss and flat gradient out. Whoever implements it (a framework's adapter, a
/// model of one's own) gets every local solver. Instances may keep scratch memory, so calls must not overlap.
/// </summary>
public interface IDifferentiableModel
{
    /// <summary>Names, shapes and roles of what the gradient is taken of.</summary>
    TensorLayout Layout { get; }

    /// <summary>Local samples, 1 or more; a batch names them by index.</summary>
    int SampleCount { get; }

    /// <summary>The mean loss over a batch at <paramref name="model"/>, and its gradient.</summary>
    /// <param name="model">
    /// A state of <see cref="Layout"/>. Its parameters are read only; its buffers and integers may change, as a batch norm's do.
    /// </param>
    /// <param name="batch">1 or more indices of samples, each in [0, <see cref="SampleCount"/>).</param>
    /// <param name="gradient">Overwritten with the mean gradient: one value a parameter, in flat order.</param>
    /// <returns>The mean loss of the batch; not finite when the weights have diverged.</returns>
    double LossAndGradient(ModelState model, ReadOnlySpan<int> batch, Span<float> gradient);

    /// <summary>Measures <paramref name="model"/> on all samples, changing nothing in it.</summary>
    /// <param name="model">A state of <see cref="Layout"/>.</param>
    /// <param name="cancellationToken">Looked at between batches.</param>
    EvaluationResult Evaluate(ModelState model, CancellationToken cancellationToken);
}
