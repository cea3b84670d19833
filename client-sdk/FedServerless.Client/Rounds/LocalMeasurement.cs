using FedServerless.Client.Http;
using FedServerless.Model;
using FedServerless.Wire;

namespace FedServerless.Client.Rounds;

/// <summary>Measures a model before and after local training, where the operator asks; a trainer that does not evaluate measures nothing.</summary>
internal sealed class LocalMeasurement(TrainLease lease, Work work, IFedTrainer trainer)
{
    private readonly Dictionary<string, double> _metrics = new(StringComparer.Ordinal);

    /// <summary>Adds <c>{moment}-loss</c> and <c>{moment}-accuracy</c>.</summary>
    /// <param name="moment"><c>before</c> or <c>after</c>.</param>
    /// <param name="model">Copied: trainers may keep what they get.</param>
    /// <param name="cancellationToken">Stops.</param>
    public async Task TakeAsync(string moment, ModelState model, CancellationToken cancellationToken)
    {
        // No noise would cover it.
        if (!lease.Training.Measure || lease.Privacy is not null)
        {
            return;
        }

        var context = new EvaluateContext { Run = lease.Run, Round = lease.Round, Model = model.Clone(), Deadline = work.WallClockDeadline, Time = work.Deadline.Time };
        try
        {
            var result = await TrainerCalls.RunAsync(work, "evaluate", token => trainer.EvaluateAsync(context, token), cancellationToken).ConfigureAwait(false);
            foreach (var (name, value) in TrainerCalls.Check(result).Where(metric => metric.Key is TrainerCalls.Loss or TrainerCalls.Accuracy))
            {
                _metrics[$"{moment}-{name}"] = value;
            }
        }
        catch (GiveUpException problem) when (problem.InnerException is NotSupportedException)
        {
            // It passes evaluations over; training goes on.
        }
    }

    /// <summary>The trainer's result with what was measured.</summary>
    public FitResult AddTo(FitResult result) => _metrics.Count == 0 || result is null
        ? result!
        : result with { Metrics = _metrics.Concat(result.Metrics ?? new Dictionary<string, double>()).DistinctBy(metric => metric.Key).ToDictionary() };
}
