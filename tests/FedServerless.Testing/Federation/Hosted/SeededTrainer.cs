using FedServerless.Client;
using FedServerless.Numerics;

namespace FedServerless.Testing.Federation.Hosted;

/// <summary>Trains by chance alone, and by the same chance every time: deltas uniform in ±0.01, a function of the lease's seed.</summary>
/// <param name="samples">Samples it claims.</param>
public sealed class SeededTrainer(long samples = 10) : IFedTrainer
{
    public ValueTask<FitResult> FitAsync(FitContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(context);
        var random = DeterministicRandom.Derive(context.Seed, "seeded-trainer");
        foreach (ref var value in context.Model.Parameters)
        {
            value += (float)((random.NextDouble() - 0.5) * 0.02);
        }

        return ValueTask.FromResult(new FitResult(samples, new Dictionary<string, double> { ["training-loss"] = 1 }));
    }

    public ValueTask<EvaluationResult> EvaluateAsync(EvaluateContext context, CancellationToken cancellationToken) =>
        ValueTask.FromResult(new EvaluationResult(samples, 1, 0.5));
}
