using FedServerless.Activities.Rounds;
using FedServerless.Activities.State;
using FedServerless.Optimization;
using FedServerless.Testing.Federation;
using FedServerless.Wire;
using static FedServerless.Orchestrations.Tests.Rounds.SolverRoundTests;

namespace FedServerless.Orchestrations.Tests.Rounds;

/// <summary>How far a receipt can push a round by the steps that it claims.</summary>
public sealed class SolverClaimTests
{
    // PITFALLS 37: τ_eff multiplies the whole round, and a receipt can claim any number of samples. The bound is worked out by hand:
    // nine take 4 steps; the tenth's claim counts for 16 times 4.
    [Theory]
    [InlineData(1_000_000)]
    [InlineData(long.MaxValue)]
    public void Decide_FedNovaOneClaimsManySteps_ScalesTheRoundBySixteenMediansAtMost(long claimed)
    {
        var training = Spec(LocalSolvers.FedNova, 1).Training with { BatchSize = 5, Epochs = 2 };
        var honest = Enumerable.Range(0, 9).Select(i => Verdict($"client-{i}", 1, LocalSolvers.Steps(training, 10)));
        var hostile = Verdict("hostile", 1, LocalSolvers.Steps(training, claimed));

        var accepted = AcceptUpdates.Decide([.. honest, hostile], new AggregationSpec { Weighting = Weightings.Uniform }, training);

        var effective = ((9 * 4) + (16 * 4)) / 10.0;
        var scale = effective * ((9 / 4.0) + (1.0 / LocalSolvers.Steps(training, claimed))) / 10;
        Assert.Equal(scale, accepted.Scale!.Value, 1e-12 * scale);
    }

    // PITFALLS 37: an update divided by one step instead of a hundred moves the model a hundred times as far as its norm says.
    [Theory]
    [InlineData(LocalSolvers.FedNova, 1.5, null, true)]
    [InlineData(LocalSolvers.FedNova, null, 3.0, true)]
    [InlineData(LocalSolvers.FedNova, 101.0, 101.0, false)]
    [InlineData(LocalSolvers.Scaffold, 1.5, null, true)]
    [InlineData(LocalSolvers.Scaffold, null, 3.0, true)]
    [InlineData(LocalSolvers.FedDyn, 1.5, 3.0, false)]
    [InlineData(LocalSolvers.Sgd, 1.5, 3.0, false)]
    public void Decide_FewStepsClaimed_BoundsWhatTheUpdateDoes(string solver, double? bound, double? ratio, bool refused)
    {
        var training = Spec(solver, 1).Training;
        long? Steps(long steps) => solver == LocalSolvers.Sgd ? null : steps;
        var honest = Enumerable.Range(0, 4).Select(i => Verdict($"client-{i}", 1, Steps(100)));

        var accepted = AcceptUpdates.Decide(
            [.. honest, Verdict("hostile", 1, Steps(1))], new AggregationSpec { Weighting = Weightings.Uniform, MaxNorm = bound, MaxNormRatio = ratio }, training);

        Assert.Equal(refused ? ["hostile"] : [], accepted.Refused.Select(one => one.Client));
    }

    // PITFALLS 37, 45: what SCAFFOLD's memory takes up is Δ/(K·η). Four take 64 steps; an update as long as theirs in 4 of them counts 16 times. No
    // bound of the operator's is set.
    [Theory]
    [InlineData(LocalSolvers.Scaffold, 5, 1.0, false)]
    [InlineData(LocalSolvers.Scaffold, 4, 1.0, false)]
    [InlineData(LocalSolvers.Scaffold, 3, 1.0, true)]
    [InlineData(LocalSolvers.Scaffold, 1, 1.0, true)]
    [InlineData(LocalSolvers.Scaffold, 1, 0.25, false)]
    [InlineData(LocalSolvers.Scaffold, 64, 1000.0, false)]
    [InlineData(LocalSolvers.Scaffold, 1_000_000, 1.0, false)]
    [InlineData(LocalSolvers.FedDyn, 1, 1.0, false)]
    [InlineData(LocalSolvers.FedNova, 1, 1.0, false)]
    public void Decide_FewStepsClaimed_BoundsWhatTheMemoryTakesUp(string solver, long steps, double norm, bool refused)
    {
        var honest = Enumerable.Range(0, 4).Select(i => Verdict($"client-{i}", 1, 64));

        var accepted = AcceptUpdates.Decide(
            [.. honest, Verdict("hostile", norm, steps)], new AggregationSpec { Weighting = Weightings.Uniform }, Spec(solver, 1).Training);

        Assert.Equal(refused ? ["hostile"] : [], accepted.Refused.Select(one => one.Client));
        Assert.All(accepted.Refused, one => Assert.Contains("in so few steps", one.Reason, StringComparison.Ordinal));
    }

    // Clients claim 10, 11 and 12 samples.
    [Theory]
    [InlineData(null, new string[0])]
    [InlineData(10, new string[0])]
    [InlineData(11, new[] { "client-000" })]
    public async Task RunAsync_FewerSamplesThanThePlanAllows_RefusesTheUpdate(int? least, string[] refused)
    {
        var spec = Spec(LocalSolvers.Scaffold, 1);
        var disk = await MakeDiskAsync(spec with { Aggregation = spec.Aggregation with { MinSamples = least } });
        await using var federation = new SimulatedFederation(disk, new SimulatedClients(disk, 3));

        await federation.RunAsync();

        var accepted = (await disk.GetAsync(StoreNames.Accepted(SimulatedFederation.RunId, 1), StoreJson.Default.AcceptedDocument, CancellationToken.None)).Value;
        Assert.Equal(refused, accepted.Refused.Select(one => one.Client));
        Assert.All(accepted.Refused, one => Assert.Equal("it claims 10 samples, expected 11 or more", one.Reason));
    }

    // Nobody can tell which of two is right, and updates of zero are no measure.
    [Theory]
    [InlineData(1)]
    [InlineData(0)]
    public void Decide_NoMajorityToMeasureBy_RefusesNobody(double norm)
    {
        Verdict[] verdicts = norm > 0
            ? [Verdict("a", norm, 64), Verdict("b", norm, 1)]
            : [Verdict("a", 0, 64), Verdict("b", 0, 64), Verdict("c", 1, 1)];

        Assert.Empty(AcceptUpdates.Decide(verdicts, new AggregationSpec { Weighting = Weightings.Uniform }, Spec(LocalSolvers.Scaffold, 1).Training).Refused);
    }

    /// <summary>
    /// The attack: an update like everybody's, and a receipt that claims one sample. Unbounded it changes the memory K times as much as an honest one;
    /// the numbers on both sides are the paper's formula on the deltas that were sent.
    /// </summary>
    [Theory]
    [InlineData(1, 0)]
    [InlineData(40, 10)]
    public async Task RunAsync_ScaffoldHostileClaimsFewSteps_MovesTheMemoryByLittleMoreThanAnHonestOne(long claimed, double most)
    {
        const int Steps = 100;
        var disk = await MakeDiskAsync(Spec(LocalSolvers.Scaffold, 1));
        var clients = new SimulatedClients(disk, 5) { Samples = client => client == "client-002" ? claimed : 4 * Steps };
        await using var federation = new SimulatedFederation(disk, clients);

        await federation.RunAsync();

        var plan = Plan(disk, 1);
        var honest = clients.Ids.Where(client => client != "client-002").Select(client => clients.Deltas(plan, client, plan.Parameters)).ToArray();
        var hostile = clients.Deltas(plan, "client-002", plan.Parameters);
        var ofHonest = Enumerable.Range(0, hostile.Length).Select(i => -honest.Sum(delta => delta[i] / (Steps * Rate))).ToArray();
        var ofHostile = Sum(disk, 1).Select((value, i) => value - ofHonest[i]).ToArray();
        Assert.Equal(most * Norm([.. hostile.Select(value => value / (Steps * Rate))]), Norm(ofHostile), 1e-5);
        Assert.True(Norm([.. hostile.Select(value => value / Rate)]) > 50 * Norm(ofHonest) / 2, "The attack would not have been one.");

        static double Norm(IReadOnlyCollection<double> values) => Math.Sqrt(values.Sum(value => value * value));
    }

    private static Verdict Verdict(string client, double norm, long? steps) =>
        new(client, null, default, norm, 10, 100, new Dictionary<string, double>(), Steps: steps);
}
