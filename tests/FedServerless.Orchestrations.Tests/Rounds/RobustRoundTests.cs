using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using FedServerless.Activities.State;
using FedServerless.Aggregation.Robust;
using FedServerless.Model;
using FedServerless.Numerics;
using FedServerless.Testing.Federation;
using FedServerless.Testing.Storage;
using FedServerless.Wire;
using FedServerless.Workflows.Rounds;

namespace FedServerless.Orchestrations.Tests.Rounds;

/// <summary>Rounds under every robust rule: the same bytes as the rule in memory, for any cut and any repetition; refusals with reasons.</summary>
public sealed class RobustRoundTests
{
    private const int Clients = 11;

    /// <summary>Two super-blocks of parameters, the second not full, and some buffers.</summary>
    private static ModelState Model { get; } = Models.Large(270_000, 7);

    public static TheoryData<string> Rules =>
    [
        .. AggregationRules.Names.Where(rule => rule != AggregationRules.WeightedMean),
        "median after buckets", "bulyan after neighbours", "multi-krum after neighbours", "centered-clipping after buckets",
    ];

    [Theory]
    [MemberData(nameof(Rules))]
    public async Task RunRoundAsync_AnyRule_PublishesWhatTheRuleMakesOfTheUpdatesInMemory(string rule)
    {
        var spec = Spec(rule);

        var round = await PublishAsync(spec);

        Assert.Equal(RoundOutcomeKind.Published, round.Outcome.Kind);
        Assert.Equal(Expected(spec, round.Plan, round.Start), round.Served.Parameters.ToArray());
    }

    [Theory]
    [InlineData(AggregationRules.Median)]
    [InlineData(AggregationRules.MultiKrum)]
    [InlineData(AggregationRules.Bulyan)]
    [InlineData(AggregationRules.GeometricMedian)]
    [InlineData("bulyan after neighbours")]
    public async Task RunRoundAsync_AnyCutAndEveryActivityTwice_ChangesNoByte(string rule)
    {
        var cut = await PublishAsync(Spec(rule));

        var whole = await PublishAsync(Spec(rule), plan => plan with { ShardCoordinates = 2 * RoundGeometry.SuperBlock }, Repeat.AtOnce);

        Assert.Equal(cut.Served.Values, whole.Served.Values);
    }

    [Fact]
    public async Task RunRoundAsync_MedianUnderThreeLiars_StaysWithTheHonest()
    {
        var round = await PublishAsync(Spec(AggregationRules.Median), lie: 1e6f);

        Assert.All(round.Served.Parameters.ToArray().Zip(round.Start.Parameters.ToArray()), pair => Assert.InRange(pair.First - pair.Second, -0.011f, 0.011f));
        Assert.All(round.Served.Buffers.ToArray().Zip(round.Start.Buffers.ToArray()), pair => Assert.Equal(pair.Second, pair.First));
    }

    [Fact]
    public async Task RunRoundAsync_MultiKrumUnderLiars_LeavesThemOutAndSaysSo()
    {
        var round = await PublishAsync(Spec(AggregationRules.MultiKrum), lie: 1e6f);

        var decision = Read(round.Disk, StoreNames.Decision(SimulatedFederation.RunId, 1), StoreJson.Default.DecisionDocument);
        Assert.All(Enumerable.Range(0, 2), liar => Assert.Equal(0, decision.Weights[liar]));
        Assert.Contains(round.Disk.Names, name => name == StoreNames.LogEntry(SimulatedFederation.RunId, 1, 45, "client-000"));
    }

    [Fact]
    public async Task RunRoundAsync_CohortShrinksUnderTheRulesMinimum_IsAbandonedWithTheBound()
    {
        var round = await PublishAsync(Spec(AggregationRules.Bulyan), silent: 3);

        Assert.Equal(RoundOutcomeKind.Abandoned, round.Outcome.Kind);
        Assert.StartsWith("refused: n < 4f+3 (n = 8, f = 2", round.Outcome.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RunRoundAsync_TrustedClientIsSilent_IsAbandonedWithItsName()
    {
        var round = await PublishAsync(Spec(AggregationRules.FlTrust), silent: 1);

        Assert.Equal("refused: the trusted client 'client-010' has no sound update: it sent none in time", round.Outcome.Reason);
    }

    [Fact]
    public async Task RunRoundAsync_UpdateFarLongerThanTheMedian_IsRefusedWithBothNumbers()
    {
        var spec = Spec(AggregationRules.Median) with { Aggregation = new AggregationSpec { Rule = AggregationRules.Median, MaxNormRatio = 3 } };

        var round = await PublishAsync(spec, lie: 1f);

        var accepted = Read(round.Disk, StoreNames.Accepted(SimulatedFederation.RunId, 1), StoreJson.Default.AcceptedDocument);
        Assert.Equal(["client-000", "client-001"], accepted.Refused.Select(refusal => refusal.Client));
        Assert.Matches(@"its norm \S+ exceeds 3 times the round's median norm 1\.8", accepted.Refused[0].Reason);
    }

    [Fact]
    public async Task RunRoundAsync_MoreClientsThanMemoryHolds_GetsShorterBlocks()
    {
        var disk = new InMemoryObjectStore();
        await using var federation = new SimulatedFederation(disk, new SimulatedClients(disk, 1200));
        await SimulatedFederation.CreateAsync(disk, SimulatedFederation.Spec() with
        {
            Aggregation = new AggregationSpec { Rule = AggregationRules.Median },
            Update = new UpdateSpec { BlockCoordinates = 65_536 },
        });

        await Plans.ReplaceAsync(federation, plan => plan);

        // 1200 clients × 32 768 coordinates × 4 bytes are within 256 MiB, twice as many are not.
        Assert.Equal(32_768, Read(disk, StoreNames.Plan(SimulatedFederation.RunId, 1), StoreJson.Default.RoundPlan).Update.BlockCoordinates);
    }

    private static RunSpec Spec(string name)
    {
        var (rule, mixing) = name.Split(" after ") is [var first, var second] ? (first, second) : (name, AggregationRules.NoMixing);
        var bears = rule is not (AggregationRules.NormBounding or AggregationRules.FlTrust);
        return SimulatedFederation.Spec() with
        {
            Architecture = null,
            Update = new UpdateSpec(),
            Aggregation = new AggregationSpec
            {
                Rule = rule,
                Byzantine = !bears ? 0 : rule == AggregationRules.Bulyan || mixing != AggregationRules.NoMixing ? 2 : 3,
                ClipRadius = rule == AggregationRules.CenteredClipping ? 2 : null,
                ClipSteps = rule == AggregationRules.CenteredClipping ? 3 : null,
                NormBound = rule == AggregationRules.NormBounding ? 1 : null,
                RootClient = rule == AggregationRules.FlTrust ? "client-010" : null,
                Mixing = mixing,
            },
        };
    }

    /// <summary>The first two clients lie by a factor; the last ones may be silent.</summary>
    private static async Task<PublishedRound> PublishAsync(
        RunSpec spec, Func<RoundPlan, RoundPlan>? change = null, Repeat repeat = Repeat.Never, float lie = 1e-2f, int silent = 0)
    {
        Assert.Empty(RunSpecValidator.Validate(spec));
        var disk = new InMemoryObjectStore();
        var clients = new SimulatedClients(disk, Clients) { Deltas = (plan, client, parameters) => Deltas(plan.Seed, client, (int)parameters, lie) };
        clients.Silent.UnionWith(clients.Ids.TakeLast(silent));
        await using var federation = new SimulatedFederation(disk, clients, repeat: repeat);
        await SimulatedFederation.AdoptAsync(disk, spec.Model, Model);
        await SimulatedFederation.CreateAsync(disk, spec);
        await Plans.ReplaceAsync(federation, change ?? (plan => plan));
        var start = await federation.ServedAsync();
        var outcome = await federation.RunRoundAsync();
        return new PublishedRound(
            outcome, disk, Read(disk, StoreNames.Plan(SimulatedFederation.RunId, 1), StoreJson.Default.RoundPlan), start, await federation.ServedAsync());
    }

    private static float[] Deltas(long seed, string client, int parameters, float lie)
    {
        var random = DeterministicRandom.Derive(seed, "robust", client);
        var scale = client is "client-000" or "client-001" ? lie : 1e-2f;
        var deltas = new float[parameters];
        for (var i = 0; i < parameters; i++)
        {
            deltas[i] = (float)(random.NextDouble() - 0.3) * scale;
        }

        return deltas;
    }

    private static float[] Expected(RunSpec spec, RoundPlan plan, ModelState start)
    {
        string[] ids = [.. Enumerable.Range(0, Clients).Select(i => $"client-{i:D3}")];
        string[] judged = [.. ids.Where(id => id != spec.Aggregation.RootClient)];
        var extra = new Dictionary<RowRole, float[]>
        {
            [RowRole.Root] = Deltas(plan.Seed, "client-010", (int)plan.Parameters, 1e-2f),
            [RowRole.Previous] = new float[plan.Parameters],
        };
        var aggregate = new double[plan.Parameters];
        var pass = UpdateMatrix.Aggregate(
            spec.Aggregation.ToRule()!, [.. judged.Select(id => Deltas(plan.Seed, id, (int)plan.Parameters, 1e-2f))],
            [.. judged.Select(id => 10.0 + int.Parse(id[^3..]))], extra, DeterministicRandom.Derive(plan.Seed, "buckets"), aggregate);
        Assert.Null(pass.Refusal);
        return [.. aggregate.Select((step, i) => (float)(start.Parameters[i] + step))];
    }

    private static T Read<T>(InMemoryObjectStore disk, string name, JsonTypeInfo<T> type) => JsonSerializer.Deserialize(disk.Peek(name), type)!;

    private sealed record PublishedRound(RoundOutcome Outcome, InMemoryObjectStore Disk, RoundPlan Plan, ModelState Start, ModelState Served);
}
