using FedServerless.Client.Training;
using FedServerless.Model;

namespace FedServerless.Client.Tests.Training;

/// <summary>
/// <c>½·curvature·‖w − cᵢ‖²</c> for sample i, so that every law of the solver can be worked out by hand; records the batches it saw.
/// </summary>
internal sealed class QuadraticModel(float curvature, params float[][] centres) : IDifferentiableModel
{
    public List<int[]> Batches { get; } = [];

    public TensorLayout Layout { get; } = TensorLayout.Create([new TensorSpec("w", [centres[0].Length], TensorRole.Parameter)]);

    public int SampleCount => centres.Length;

    public ModelState State(params float[] weights) => new(Layout, weights, []);

    public double LossAndGradient(ModelState model, ReadOnlySpan<int> batch, Span<float> gradient)
    {
        Batches.Add(batch.ToArray());
        gradient.Clear();
        var loss = 0.0;
        foreach (var sample in batch)
        {
            for (var i = 0; i < gradient.Length; i++)
            {
                var distance = model.Values[i] - centres[sample][i];
                gradient[i] += curvature * distance / batch.Length;
                loss += 0.5 * curvature * distance * distance / batch.Length;
            }
        }

        return loss;
    }

    public EvaluationResult Evaluate(ModelState model, CancellationToken cancellationToken) =>
        new(SampleCount, LossAndGradient(model, [.. Enumerable.Range(0, SampleCount)], new float[model.Values.Length]));
}
