using FedServerless.Aggregation;
using FedServerless.Client;
using FedServerless.Client.Training;
using FedServerless.Gateway.Rounds;
using FedServerless.Model;
using FedServerless.Numerics;
using FedServerless.Optimization;
using FedServerless.Testing;
using FedServerless.Wire;

namespace FedServerless.EndToEnd.Tests;

/// <summary>Optical digits cut among clients, and federated averaging on them without a network: core's mean, Training's solver.</summary>
internal sealed class Digits
{
    private static readonly Lazy<LabelledSamples> LazyAll = new(
        () => SampleFiles.ReadCsv(RepositoryRoot.Combine("samples", "digits", "optdigits.csv.gz"), 10, 1.0 / 16));

    public Digits(int clients)
    {
        (Training, HeldOut) = LazyAll.Value.Split(0.2, seed: 1);
        Shares = Partition.Iid(Training.Count, clients, seed: 1).Select(indices => Training.Subset(indices)).ToArray();
    }

    public LabelledSamples Training { get; }

    public LabelledSamples HeldOut { get; }

    /// <summary>What each client has, in the order of client ids.</summary>
    public LabelledSamples[] Shares { get; }

    public static RunSpec Spec(int clients, int rounds) => Specs.Small(clients, rounds) with
    {
        Architecture = new ArchitectureSpec { Name = Architectures.Softmax, Inputs = 64, Outputs = 10 },
        Training = new TrainingSpec { Epochs = 5, BatchSize = 32, LearningRate = 0.1 },
    };

    /// <summary>Two convolutions of 3 × 3, to 8 and 16 channels: 1898 parameters.</summary>
    public static ArchitectureSpec Conv { get; } = new()
    {
        Name = Architectures.Conv,
        Inputs = 64,
        Image = new ImageSpec { Height = 8, Width = 8 },
        Convolutions = [new ConvolutionSpec { Channels = 8, Kernel = 3 }, new ConvolutionSpec { Channels = 16, Kernel = 3 }],
        Outputs = 10,
    };

    public double Accuracy(ModelState model) => BuiltInModel.Bind(model.Layout, HeldOut).Evaluate(model, CancellationToken.None).Accuracy!.Value;

    /// <summary>The run of <paramref name="spec"/> in memory, with the seeds that the product's plans and leases would carry.</summary>
    public async Task<ModelState> TrainInMemoryAsync(RunSpec spec)
    {
        var model = Architectures.Initialize(spec.Architecture!, spec.Seed);
        var trainers = Shares.Select(samples => LocalTrainer.BuiltIn(samples)).ToArray();
        for (var round = 1; round <= spec.Rounds; round++)
        {
            var seed = DeterministicRandom.DeriveSeed(spec.Seed, "round", round);
            var aggregation = Aggregators.Find(Aggregators.WeightedMean).Begin(model.Values.Length);
            for (var client = 0; client < trainers.Length; client++)
            {
                var local = model.Clone();
                var fitted = await trainers[client].FitAsync(
                    new FitContext
                    {
                        Run = "run",
                        Round = round,
                        Model = local,
                        Training = spec.Training,
                        Seed = DeterministicRandom.DeriveSeed(seed, CheckIns.SeedPurpose, $"client-{client:D3}"),
                    },
                    CancellationToken.None);
                aggregation.Add(local.Values.Zip(model.Values, (after, before) => after - before).ToArray(), fitted.Samples);
            }

            var mean = new double[model.Values.Length];
            aggregation.Complete(mean);
            Assert.True(ServerOptimizers.Create(spec.Optimizer).TryApply(model.Values, mean, [], model.Values, []));
        }

        return model;
    }
}
