using FedServerless.Core.Tests.Oracles;
using FedServerless.Optimization;
using FedServerless.Wire;

namespace FedServerless.Core.Tests.Optimization;

// PITFALLS 45, 46: N is all clients, K is steps, and the server's mean is the mean of the clients' vectors, whoever took part.
public sealed class LocalSolverTests
{
    public sealed record Trace(double[] Weights, double[] Mean, double[][] Own, double[]? Lengths);

    public sealed record Federation(
        string Solver, double Momentum, double ProximalMu, double Rate, double[][] Curvature, double[][] Centres, long[] Steps, long[] Samples,
        int[][] Cohorts, Trace[] Rounds);

    private static IReadOnlyList<Federation> Oracles { get; } = Oracle.Load<Federation>("local_solvers.json");

    public static TheoryData<int> WithMemory => [.. Enumerable.Range(0, Oracles.Count).Where(i => Solver(Oracles[i]).HasMemory)];

    public static TheoryData<int> Normalising => [.. Enumerable.Range(0, Oracles.Count).Where(i => Oracles[i].Solver == LocalSolvers.FedNova)];

    [Theory]
    [MemberData(nameof(WithMemory))]
    public void Memory_RoundsOfSomeClients_IsNumpysAndTheSumIsTheClients(int oracle)
    {
        var federation = Oracles[oracle];
        var solver = Solver(federation);
        var (n, d) = (federation.Centres.Length, federation.Centres[0].Length);
        var own = Enumerable.Range(0, n).Select(_ => new float[d]).ToArray();
        var (weights, sum) = (new double[d], new float[d]);
        for (var round = 0; round < federation.Cohorts.Length; round++)
        {
            var cohort = federation.Cohorts[round];
            var (changes, aggregate) = (new double[d], new double[d]);
            foreach (var client in cohort)
            {
                var delta = Train(federation, solver, client, weights, own[client], sum, n);
                var seen = solver.NeedsMean ? sum : [];
                solver.Remember(own[client], seen, n, delta, federation.Steps[client], own[client]);
                for (var i = 0; i < d; i++)
                {
                    changes[i] += solver.ChangeFactor(federation.Steps[client]) * delta[i];
                    aggregate[i] += (double)delta[i] / cohort.Length;
                }
            }

            Assert.True(solver.TryAdvance(sum, changes, cohort.Length, n, sum, aggregate));
            for (var i = 0; i < d; i++)
            {
                weights[i] += aggregate[i];
            }

            Close(federation.Rounds[round].Weights, weights);
            Close(federation.Rounds[round].Mean, sum.Select(value => (double)value / n));
            Close(sum.Select(value => (double)value), Enumerable.Range(0, d).Select(i => own.Sum(vector => (double)vector[i])));
            Assert.All(own.Zip(federation.Rounds[round].Own), pair => Close(pair.Second, pair.First.Select(value => (double)value)));
        }
    }

    [Theory]
    [MemberData(nameof(Normalising))]
    public void Length_OfFedNova_IsTheSumOfWhatEachGradientCounts(int oracle)
    {
        var federation = Oracles[oracle];
        var solver = Solver(federation);
        for (var round = 0; round < federation.Cohorts.Length; round++)
        {
            Close(federation.Rounds[round].Lengths!, federation.Cohorts[round].Select(client => solver.Length(federation.Steps[client])), 1e-9);
        }
    }

    [Theory]
    [InlineData(LocalSolvers.Sgd, 7, 1)]
    [InlineData(LocalSolvers.Scaffold, 7, 1)]
    [InlineData(LocalSolvers.FedDyn, 7, 1)]
    [InlineData(LocalSolvers.FedNova, 7, 7)]
    [InlineData(LocalSolvers.FedNova, 1, 1)]
    public void Length_PlainSteps_NormalisesForFedNovaAlone(string solver, long steps, double length) =>
        Assert.Equal(length, LocalSolvers.Create(new TrainingSpec { Solver = solver }).Length(steps));

    [Theory]
    [InlineData(1, 0, 100, 1)]
    [InlineData(3, 0, 100, 3)]
    [InlineData(1, 32, 1, 1)]
    [InlineData(1, 32, 32, 1)]
    [InlineData(1, 32, 33, 2)]
    [InlineData(5, 10, 95, 50)]
    [InlineData(1000, 1, 1_000_000_000, 1_000_000_000_000)]
    [InlineData(1000, 1, 1_000_000_001, 1_000_000_000_000)]
    [InlineData(4, 1, 1L << 62, 4_000_000_000)]
    public void Steps_OfARound_AreEpochsTimesBatchesWithThePartialOne(int epochs, int batch, long samples, long steps) =>
        Assert.Equal(steps, LocalSolvers.Steps(new TrainingSpec { Epochs = epochs, BatchSize = batch }, samples));

    [Fact]
    public void Create_UnknownName_ListsThoseThatExist() =>
        Assert.Contains("scaffold", Assert.Throws<ArgumentException>(() => LocalSolvers.Create(new TrainingSpec { Solver = "adam" })).Message, StringComparison.Ordinal);

    [Fact]
    public void TryAdvance_NotFinite_IsRefused() =>
        Assert.False(LocalSolvers.Create(new TrainingSpec { Solver = LocalSolvers.Scaffold }).TryAdvance([float.MaxValue], [1e39], 1, 10, new float[1], new double[1]));

    private static ILocalSolver Solver(Federation federation) => LocalSolvers.Create(new TrainingSpec
    {
        Solver = federation.Solver,
        LearningRate = federation.Rate,
        Momentum = federation.Momentum,
        ProximalMu = federation.ProximalMu,
    });

    private static float[] Train(Federation federation, ILocalSolver solver, int client, double[] start, float[] own, float[] sum, int clients)
    {
        var correction = new float[own.Length];
        solver.Correct(own, solver.NeedsMean ? sum : [], clients, correction);
        var weights = (double[])start.Clone();
        for (var step = 0; step < federation.Steps[client]; step++)
        {
            for (var i = 0; i < weights.Length; i++)
            {
                var gradient = federation.Curvature[client][i] * (weights[i] - federation.Centres[client][i]);
                weights[i] -= federation.Rate * (gradient + correction[i] + (federation.ProximalMu * (weights[i] - start[i])));
            }
        }

        return [.. weights.Zip(start, (after, before) => (float)(after - before))];
    }

    private static void Close(IEnumerable<double> expected, IEnumerable<double> actual, double tolerance = 2e-4) =>
        Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, tolerance));
}
