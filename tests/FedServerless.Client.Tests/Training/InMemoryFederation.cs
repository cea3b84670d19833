using FedServerless.Aggregation;
using FedServerless.Client.Training;
using FedServerless.Model;
using FedServerless.Numerics;
using FedServerless.Optimization;
using FedServerless.Wire;

namespace FedServerless.Client.Tests.Training;

/// <summary>Federated averaging without a federation: the built-in trainer, core's weighted mean and core's FedAvg.</summary>
internal static class InMemoryFederation
{
    public static async Task<ModelState> TrainAsync(
        ArchitectureSpec architecture, IReadOnlyList<LabelledSamples> clients, TrainingSpec training, int rounds, long seed)
    {
        var model = Architectures.Initialize(architecture, seed);
        var trainers = clients.Select(samples => LocalTrainer.BuiltIn(samples)).ToArray();
        for (var round = 1; round <= rounds; round++)
        {
            await StepAsync(model, trainers, training, round, seed);
        }

        return model;
    }

    private static async Task StepAsync(ModelState model, LocalTrainer[] trainers, TrainingSpec training, int round, long seed)
    {
        var aggregation = Aggregators.Find(Aggregators.WeightedMean).Begin(model.Values.Length);
        for (var client = 0; client < trainers.Length; client++)
        {
            var local = model.Clone();
            var result = await trainers[client].FitAsync(
                new FitContext
                {
                    Run = "in-memory",
                    Round = round,
                    Model = local,
                    Training = training,
                    Seed = DeterministicRandom.DeriveSeed(seed, "client", round, client),
                },
                CancellationToken.None);
            var delta = local.Values.Zip(model.Values, (after, before) => after - before).ToArray();
            aggregation.Add(delta, result.Samples);
        }

        var mean = new double[model.Values.Length];
        aggregation.Complete(mean);
        Assert.True(ServerOptimizers.Create(new OptimizerSpec()).TryApply(model.Values, mean, [], model.Values, []));
    }
}
