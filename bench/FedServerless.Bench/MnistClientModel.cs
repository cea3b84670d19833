using FedServerless.Client;
using FedServerless.Client.Training;
using FedServerless.Model;

namespace FedServerless.Bench;

/// <summary>One simulated client's view of samples that all share: its batch indices become those of the whole.</summary>
internal sealed class MnistClientModel(IDifferentiableModel whole, int[] indices) : IDifferentiableModel
{
    private readonly int[] _batch = new int[indices.Length];

    public TensorLayout Layout => whole.Layout;

    public int SampleCount => indices.Length;

    public double LossAndGradient(ModelState model, ReadOnlySpan<int> batch, Span<float> gradient)
    {
        for (var i = 0; i < batch.Length; i++)
        {
            _batch[i] = indices[batch[i]];
        }

        return whole.LossAndGradient(model, _batch.AsSpan(0, batch.Length), gradient);
    }

    public EvaluationResult Evaluate(ModelState model, CancellationToken cancellationToken) =>
        throw new NotSupportedException("The experiment evaluates the global model on the common test set.");
}
