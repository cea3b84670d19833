using FedServerless.Client;
using FedServerless.Privacy;

namespace FedServerless.Cli.Privacy.Auditing;

/// <summary>A canary as an edge application: whatever model it gets, it moves it along its direction.</summary>
internal sealed class CanaryTrainer(CanaryDirections directions, int canary, double length) : IFedTrainer
{
    public ValueTask<FitResult> FitAsync(FitContext context, CancellationToken cancellationToken)
    {
        var parameters = context.Model.Parameters;
        var delta = directions.Update(canary, context.Round, length);
        for (var i = 0; i < delta.Length; i++)
        {
            parameters[i] += delta[i];
        }

        return ValueTask.FromResult(new FitResult(1));
    }

    public ValueTask<EvaluationResult> EvaluateAsync(EvaluateContext context, CancellationToken cancellationToken) =>
        throw new InvalidOperationException("An audit evaluates nothing.");
}
