using FedServerless.Activities.State;
using FedServerless.Client.Training;
using FedServerless.Gateway.Rounds;
using FedServerless.Model;
using FedServerless.Numerics;
using FedServerless.Storage;
using FedServerless.Testing.Federation.Hosted;
using FedServerless.Wire;

namespace FedServerless.EndToEnd.Tests;

/// <summary>SCAFFOLD and FedDyn as their papers write them, in memory, against six clients over HTTP of which three take part in a round.</summary>
public sealed class SolverTests
{
    private const int ClientCount = 6;
    private const int Rounds = 5;

    [Theory]
    [InlineData("scaffold", 0)]
    [InlineData("feddyn", 0.5)]
    public async Task Run_SolverWithMemory_IsThePapersAlgorithm(string solver, double mu)
    {
        var digits = new Digits(ClientCount);
        var spec = Digits.Spec(ClientCount, Rounds) with
        {
            Training = new TrainingSpec { Solver = solver, Epochs = 2, BatchSize = 50, LearningRate = 0.1, ProximalMu = mu },
            Aggregation = new AggregationSpec { Weighting = Weightings.Uniform },
            Selection = new SelectionSpec { Kind = Selections.Uniform, Clients = 3 },
            Round = new RoundSpec { DeadlineSeconds = 120, Minimum = 3 },
        };
        await using var federation = await HostedFederation.StartedAsync(new HostedParts());
        for (var i = 0; i < ClientCount; i++)
        {
            (await federation.EnrolAsync($"client-{i:D3}", LocalTrainer.BuiltIn(digits.Shares[i]))).Start();
        }

        await federation.Operator.StartRunAsync("run", spec);
        var run = await federation.Operator.WaitForEndAsync("run");

        Assert.Equal((RunStates.Completed, Rounds), (run.State, run.PublishedRounds));
        var (weights, mean) = await TrainInMemoryAsync(federation.Disk, digits, spec);
        Close(weights, (await Published.ReadAsync(federation.Disk, spec.Model, $"run-r{Rounds}")).Values);
        var manifest = await federation.Disk.GetAsync(StoreNames.Manifest(spec.Model, $"run-r{Rounds}"), StoreJson.Default.ModelManifest, CancellationToken.None);
        var sum = ModelStateFile.Read(federation.Disk.Peek(manifest.Value.Solver!.Sum.Object)!).Values;
        Close(mean, [.. sum.Select(value => value / ClientCount)]);
        Assert.Contains(mean, value => Math.Abs(value) > 1e-3);
    }

    private static async Task<(double[] Weights, double[] Mean)> TrainInMemoryAsync(IObjectStore disk, Digits digits, RunSpec spec)
    {
        var start = Architectures.Initialize(spec.Architecture!, spec.Seed);
        var d = start.Values.Length;
        var weights = start.Values.Select(value => (double)value).ToArray();
        var own = Enumerable.Range(0, ClientCount).Select(_ => new double[d]).ToArray();
        var scaffold = spec.Training.Solver == "scaffold";
        for (var round = 1; round <= Rounds; round++)
        {
            var accepted = await disk.GetAsync(StoreNames.Accepted("run", round), StoreJson.Default.AcceptedDocument, CancellationToken.None);
            var cohort = accepted.Value.Accepted.Select(update => int.Parse(update.Client[^3..], null)).ToArray();
            Assert.Equal(3, cohort.Length);
            var c = Enumerable.Range(0, d).Select(i => own.Average(vector => vector[i])).ToArray();
            var step = new double[d];
            foreach (var client in cohort)
            {
                var samples = digits.Shares[client];
                var local = new ModelState(start.Layout, [.. weights.Select(value => (float)value)], []);
                var seed = DeterministicRandom.DeriveSeed(DeterministicRandom.DeriveSeed(spec.Seed, "round", round), CheckIns.SeedPurpose, $"client-{client:D3}");
                var correction = own[client].Select((value, i) => (float)((scaffold ? c[i] : 0) - value)).ToArray();
                var result = new LocalSgd().Fit(new DenseClassifier(start.Layout, samples), local, spec.Training, seed, correction);
                for (var i = 0; i < d; i++)
                {
                    var delta = local.Values[i] - weights[i];
                    own[client][i] -= scaffold ? c[i] + (delta / (result.Steps * spec.Training.LearningRate)) : spec.Training.ProximalMu * delta;
                    step[i] += delta / cohort.Length;
                }
            }

            for (var i = 0; i < d; i++)
            {
                weights[i] += step[i] - (scaffold ? 0 : own.Average(vector => vector[i]) / spec.Training.ProximalMu);
            }
        }

        return (weights, [.. Enumerable.Range(0, d).Select(i => own.Average(vector => vector[i]))]);
    }

    // Float32 weights and vectors on one side, double on the other, over five rounds.
    private static void Close(double[] expected, float[] actual) =>
        Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, 2e-4));
}
