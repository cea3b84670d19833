using FedServerless.Client.Training;
using FedServerless.Model;
using FedServerless.Numerics;
using FedServerless.Optimization;
using FedServerless.Wire;

namespace FedServerless.Bench;

/// <summary>
/// A federation in memory under one local solver: the SDK's SGD on the clients, core's formulas on both sides, the plain mean of clients on the server,
/// no network and no storage. Every client's vector is kept here.
/// </summary>
internal sealed class SolverFederation
{
    private readonly DenseClassifier _trainer;
    private readonly DenseClassifier _tester;
    private readonly LocalSgd _sgd = new();
    private readonly TrainingSpec _training;
    private readonly ILocalSolver _solver;
    private readonly int[][] _parts;
    private readonly float[][] _own;
    private readonly float[] _sum;
    private readonly float[] _correction;
    private readonly long _seed;
    private int _round;

    public SolverFederation(ArchitectureSpec architecture, LabelledSamples training, LabelledSamples test, int[][] parts, TrainingSpec spec, long seed)
    {
        Model = Architectures.Initialize(architecture, seed);
        (_parts, _training, _seed, _solver) = (parts, spec, seed, LocalSolvers.Create(spec));
        _trainer = new DenseClassifier(Model.Layout, training);
        _tester = new DenseClassifier(Model.Layout, test);
        _own = [.. parts.Select(_ => new float[Model.Values.Length])];
        _sum = new float[Model.Values.Length];
        _correction = new float[Model.Values.Length];
    }

    public ModelState Model { get; }

    /// <summary>One round of so many clients; returns the new global model's accuracy on the test set.</summary>
    public double RunRound(int clients)
    {
        _round++;
        var ids = Enumerable.Range(0, _parts.Length).ToArray();
        DeterministicRandom.Derive(_seed, "solver-cohort", _round).Shuffle<int>(ids);
        int[] cohort = [.. ids.Take(clients).Order()];
        var (lengths, total, steps) = (0.0, 0.0, 0.0);
        var mean = new double[_sum.Length];
        var changes = new double[_sum.Length];
        foreach (var client in cohort)
        {
            var (delta, taken) = Train(client);
            var length = _solver.Length(taken);
            var samples = _solver.HasMemory ? 1 : _parts[client].Length;
            (lengths, total, steps) = (lengths + (samples / length), total + samples, steps + (samples * length));
            for (var i = 0; i < delta.Length; i++)
            {
                mean[i] += samples / length * delta[i];
                changes[i] += _solver.ChangeFactor(taken) * delta[i];
            }

            _solver.Remember(_own[client], _sum, _parts.Length, delta, taken, _own[client]);
        }

        for (var i = 0; i < mean.Length; i++)
        {
            mean[i] *= steps / total / total;
        }

        if (!_solver.TryAdvance(_sum, changes, cohort.Length, _parts.Length, _sum, mean))
        {
            throw new InvalidOperationException($"Round {_round} gave vectors that are not finite.");
        }

        for (var i = 0; i < mean.Length; i++)
        {
            Model.Values[i] += (float)mean[i];
        }

        return _tester.Evaluate(Model, CancellationToken.None).Accuracy!.Value;
    }

    private (float[] Delta, int Steps) Train(int client)
    {
        var local = Model.Clone();
        var objective = new MnistClientModel(_trainer, _parts[client]);
        _solver.Correct(_own[client], _sum, _parts.Length, _correction);
        var result = _sgd.Fit(
            objective, local, _training, DeterministicRandom.DeriveSeed(_seed, "solver-client", _round, client), _solver.HasMemory ? _correction : []);
        for (var i = 0; i < local.Values.Length; i++)
        {
            local.Values[i] -= Model.Values[i];
        }

        return (local.Values, result.Steps);
    }
}
