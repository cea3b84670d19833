#region own-trainer
using FedServerless.Client;

/// <summary>Fits y = a·x + b: the model's parameters are a and b, in this order.</summary>
public sealed class LineTrainer(float[] x, float[] y) : IFedTrainer
{
    public ValueTask<FitResult> FitAsync(FitContext context, CancellationToken cancellationToken)
    {
        var random = new Random((int)context.Seed);
        var rate = (float)context.Training.LearningRate;
        for (var step = 0; step < context.Training.Epochs * x.Length; step++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var i = random.Next(x.Length);
            var line = context.Model.Parameters;
            var error = line[0] * x[i] + line[1] - y[i];
            line[0] -= rate * error * x[i];
            line[1] -= rate * error;
        }

        return ValueTask.FromResult(new FitResult(x.Length));
    }

    public ValueTask<EvaluationResult> EvaluateAsync(EvaluateContext context, CancellationToken cancellationToken)
    {
        var line = context.Model.Parameters;
        var loss = 0.0;
        for (var i = 0; i < x.Length; i++)
        {
            loss += Math.Pow(line[0] * x[i] + line[1] - y[i], 2) / x.Length;
        }

        return ValueTask.FromResult(new EvaluationResult(x.Length, loss));
    }
}
#endregion
