using FedServerless.Aggregation;
using FedServerless.Client.Training;
using FedServerless.Model;
using FedServerless.Numerics;
using FedServerless.Optimization;
using FedServerless.Wire;

namespace FedServerless.Bench;

/// <summary>
/// FederatedAveraging of McMahan et al. 2017 (arXiv:1602.05629, algorithm 1) in memory: the SDK's local solver, core's weighted
/// mean and core's server optimizer, no storage, and no network but for what a <see cref="MnistLink"/> makes of the bytes. Workers share out the clients of a
/// round; the result does not depend on how.
/// </summary>
internal sealed class MnistFederation
{
    public const int Clients = 100;
    public const int CohortOfPaper = 10;
    private const int Workers = 2;

    public static readonly ArchitectureSpec TwoHiddenLayers = new() { Name = Architectures.Mlp, Inputs = 784, Hidden = [200, 200], Outputs = 10 };

    private readonly int[][] _parts;
    private readonly long _seed;
    private readonly TrainingSpec _training;
    private readonly IAggregation _aggregation;
    private readonly IServerOptimizer _optimizer;
    private readonly float[] _state;
    private readonly MnistLink? _link;
    private readonly float[] _start;
    private readonly DenseClassifier[] _trainers;
    private readonly DenseClassifier[] _testers;
    private readonly LocalSgd[] _solvers;
    private readonly ModelState[] _locals;
    private readonly double[] _mean;
    private int _round;

    public MnistFederation(
        LabelledSamples training, LabelledSamples test, int[][] parts, double learningRate, long seed, int cohort = CohortOfPaper, MnistSeries? series = null)
    {
        Model = Architectures.Initialize(TwoHiddenLayers, seed);
        Cohort = cohort;
        _start = new float[Model.Values.Length];
        _link = series is null ? null : new MnistLink(Model.Layout, series, parts.Length, seed);
        _optimizer = ServerOptimizers.Create(series is { ServerMomentum: > 0 and var beta }
            ? new OptimizerSpec { Name = ServerOptimizers.FedAvgM, Beta1 = beta, LearningRate = 1 - beta }
            : new OptimizerSpec { Name = ServerOptimizers.FedAvg });
        _state = new float[_optimizer.StateNames.Count * Model.Values.Length];
        _parts = parts;
        _seed = seed;
        _training = new TrainingSpec { Epochs = 1, BatchSize = 10, LearningRate = learningRate };
        _aggregation = Aggregators.Find(Aggregators.WeightedMean).Begin(Model.Values.Length);
        _mean = new double[Model.Values.Length];
        _trainers = [.. Enumerable.Range(0, Workers).Select(_ => new DenseClassifier(Model.Layout, training))];
        _solvers = [.. Enumerable.Range(0, Workers).Select(_ => new LocalSgd())];
        _locals = [.. Enumerable.Range(0, Cohort).Select(_ => Model.Clone())];
        _testers = [.. Enumerable.Range(0, test.Count).Chunk(test.Count / Workers).Select(half => new DenseClassifier(Model.Layout, test.Subset(half)))];
    }

    public ModelState Model { get; }

    /// <summary>Clients of a round.</summary>
    public int Cohort { get; }

    /// <summary>What travelled; null where nothing is encoded.</summary>
    public MnistLink? Link => _link;

    /// <summary>One round; returns the new global model's accuracy on the test set.</summary>
    public double RunRound()
    {
        _round++;
        var cohort = SelectCohort();
        if (_link is null)
        {
            Model.Values.CopyTo(_start, 0);
        }
        else
        {
            _link.Receive(Model.Values, _start, Cohort, _round);
        }

        Parallel.For(0, Workers, new ParallelOptions { MaxDegreeOfParallelism = Workers }, worker =>
        {
            for (var slot = worker; slot < Cohort; slot += Workers)
            {
                Train(worker, cohort[slot], _locals[slot]);
            }
        });

        Average(cohort);
        return Accuracy();
    }

    private int[] SelectCohort()
    {
        var ids = Enumerable.Range(0, _parts.Length).ToArray();
        DeterministicRandom.Derive(_seed, "mnist-cohort", _round).Shuffle<int>(ids);
        return [.. ids.Take(Cohort).Order()];
    }

    private void Train(int worker, int client, ModelState local)
    {
        _start.CopyTo(local.Values, 0);
        var objective = new MnistClientModel(_trainers[worker], _parts[client]);
        var result = _solvers[worker].Fit(objective, local, _training, DeterministicRandom.DeriveSeed(_seed, "mnist-client", _round, client));
        if (result.Diverged)
        {
            throw new InvalidOperationException($"Client {client} diverged in round {_round}; the learning rate {_training.LearningRate} is too large.");
        }

        for (var i = 0; i < local.Values.Length; i++)
        {
            local.Values[i] -= _start[i];
        }

        _link?.Send(client, _round, local.Values);
    }

    private void Average(int[] cohort)
    {
        _aggregation.Restart(Model.Values.Length);
        for (var slot = 0; slot < Cohort; slot++)
        {
            _aggregation.Add(_locals[slot].Values, _parts[cohort[slot]].Length);
        }

        _aggregation.Complete(_mean);
        if (!_optimizer.TryApply(Model.Values, _mean, _state, Model.Values, _state))
        {
            throw new InvalidOperationException($"Round {_round} gave weights that are not finite.");
        }
    }

    private double Accuracy()
    {
        var correct = new double[_testers.Length];
        Parallel.For(0, _testers.Length, worker =>
            correct[worker] = _testers[worker].Evaluate(Model, CancellationToken.None).Accuracy!.Value * _testers[worker].SampleCount);
        return Math.Round(correct.Sum()) / _testers.Sum(tester => tester.SampleCount);
    }
}
