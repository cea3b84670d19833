using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using FedServerless.Activities.Rounds;
using FedServerless.Activities.State;
using FedServerless.Aggregation.Robust;
using FedServerless.Compression;
using FedServerless.Model;
using FedServerless.Numerics;
using FedServerless.Storage;
using FedServerless.Testing.Federation;
using FedServerless.Testing.Storage;
using FedServerless.Wire;
using FedServerless.Wire.Updates;
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
        var entry = Read(round.Disk, StoreNames.LogEntry(SimulatedFederation.RunId, 1, 45, "client-000"), StoreJson.Default.LogDocument);
        Assert.Matches(@"'multi-krum' left it out \(score \S+, cosine to the aggregate 0\.\d{3}\)\.$", entry.Message);
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

    [Theory]
    [InlineData(AggregationRules.Median, UpdateCodecs.Int8)]
    [InlineData(AggregationRules.Median, UpdateCodecs.Float16)]
    [InlineData(AggregationRules.MultiKrum, UpdateCodecs.Int8)]
    [InlineData(AggregationRules.MultiKrum, UpdateCodecs.Float16)]
    [InlineData(AggregationRules.CenteredClipping, UpdateCodecs.Int8)]
    [InlineData(AggregationRules.CenteredClipping, UpdateCodecs.TopKInt8)]
    [InlineData(AggregationRules.NormBounding, UpdateCodecs.TopK)]
    [InlineData(AggregationRules.MultiKrum, UpdateCodecs.RandomKInt8)]
    [InlineData(AggregationRules.TrimmedMean, UpdateCodecs.RandomK)]
    [InlineData(AggregationRules.Bulyan, UpdateCodecs.Int4)]
    [InlineData(AggregationRules.Median, UpdateCodecs.Sign)]
    [InlineData(AggregationRules.GeometricMedian, UpdateCodecs.Ternary)]
    public async Task RunRoundAsync_OtherCodecs_PublishWhatTheRuleMakesOfTheDecodedUpdates(string rule, string codec)
    {
        var spec = Spec(rule) with { Update = new UpdateSpec { Codec = codec } };

        var round = await PublishAsync(spec);

        Assert.Equal(RoundOutcomeKind.Published, round.Outcome.Kind);
        Assert.Equal(Expected(spec, round.Plan, round.Start), round.Served.Parameters.ToArray());
    }

    [Fact]
    public async Task RunRoundAsync_FlTrustWithATinyUpdateAndHugeBuffers_GivesTheBuffersItsTrustOnly()
    {
        var spec = Spec(AggregationRules.FlTrust);

        // client-000 goes the others' way, in steps of a billionth; its buffers are 1000, everybody else's 0.
        var round = await PublishAsync(spec, lie: 1e-11f, buffers: (client, buffers) => [.. buffers.Select(_ => client == "client-000" ? 1000f : 0f)]);

        Assert.Equal(RoundOutcomeKind.Published, round.Outcome.Kind);
        Assert.All(round.Served.Buffers.ToArray(), value => Assert.InRange(value, 50f, 150f));
    }

    [Fact]
    public async Task RunRoundAsync_BaseWasPublishedByAnotherRun_ClipsFromZero()
    {
        var spec = Spec(AggregationRules.CenteredClipping);

        // The other run's version is its parent's weights, so its step is made to look enormous by the parent's name alone.
        var round = await PublishAsync(spec, prepare: PublishFarAwayAsync);

        Assert.Equal(Expected(spec, round.Plan, round.Start), round.Served.Parameters.ToArray());
    }

    [Fact]
    public async Task RunAsync_CenteredClippingInTheSecondRound_StartsFromTheFirstRoundsStep()
    {
        var disk = new InMemoryObjectStore();
        var clients = new SimulatedClients(disk, Clients) { Deltas = (plan, client, parameters) => Deltas(plan.Seed, client, (int)parameters, 1e-2f) };
        await using var federation = new SimulatedFederation(disk, clients);
        var spec = Spec(AggregationRules.CenteredClipping) with { Rounds = 2 };
        await SimulatedFederation.AdoptAsync(disk, spec.Model, Models.Large(1000, 7));
        await SimulatedFederation.CreateAsync(disk, spec with { Aggregation = spec.Aggregation with { ClipRadius = 0.05 } });
        await federation.RunAsync();
        var plan = Read(disk, StoreNames.Plan(SimulatedFederation.RunId, 2), StoreJson.Default.RoundPlan);

        var first = await clients.ReadModelAsync(plan.Base.Object, CancellationToken.None);
        float[] step = [.. first.Parameters.ToArray().Zip(Models.Large(1000, 7).Parameters.ToArray(), (after, before) => (float)((double)after - before))];
        Assert.Equal(Expected(spec with { Aggregation = plan.Aggregation }, plan, first, step), (await federation.ServedAsync()).Parameters.ToArray());
        Assert.NotEqual(Expected(spec with { Aggregation = plan.Aggregation }, plan, first), (await federation.ServedAsync()).Parameters.ToArray());
    }

    [Fact]
    public async Task CountReceipts_QuorumWithoutTheTrustedClient_IsNotTheEnd()
    {
        var disk = new InMemoryObjectStore();
        var clients = new SimulatedClients(disk, Clients) { Silent = { "client-010" } };
        await using var federation = new SimulatedFederation(disk, clients);
        var spec = Spec(AggregationRules.FlTrust);
        await SimulatedFederation.AdoptAsync(disk, spec.Model, Models.Large(100, 7));
        await SimulatedFederation.CreateAsync(disk, spec with { Round = spec.Round with { Quorum = 5 } });
        await Plans.ReplaceAsync(federation, plan => plan);
        var (input, none) = (new RoundInput(SimulatedFederation.RunId, 1), CancellationToken.None);
        await clients.AnswerAsync(input.Run, 1, none);

        var without = await federation.Activities.CountReceipts.RunAsync(input, none);
        clients.Silent.Clear();
        await clients.AnswerAsync(input.Run, 1, none);
        var with = await federation.Activities.CountReceipts.RunAsync(input, none);

        Assert.Equal([(10, false), (11, true)], new[] { (without.Received, without.Finished), (with.Received, with.Finished) });
    }

    [Fact]
    public async Task RunRoundAsync_TrustedClientAndOneOther_CountsTheOtherOnly()
    {
        var spec = Spec(AggregationRules.FlTrust);

        var round = await PublishAsync(spec with { Round = spec.Round with { Minimum = 11 } });

        Assert.Equal("10 updates were accepted, fewer than the minimum.", round.Outcome.Reason);
    }

    [Theory]
    [InlineData(AggregationRules.Median, RunLimits.MaxComparedClients, null)]
    [InlineData(AggregationRules.Median, RunLimits.MaxComparedClients + 1, "refused: 'median' compares at most 2000 updates; there are 2001")]
    [InlineData(AggregationRules.Krum, RunLimits.MaxComparedClients + 1, "refused: 'krum' compares at most 2000 updates; there are 2001")]
    [InlineData(AggregationRules.NormBounding, RunLimits.MaxComparedClients + 1, null)]
    public async Task Refusal_MoreUpdatesThanCanBeCompared_IsAReasonBeforeAnythingIsMeasured(string rule, int updates, string? reason)
    {
        var disk = new InMemoryObjectStore();
        await using var federation = new SimulatedFederation(disk, new SimulatedClients(disk, 3));
        await SimulatedFederation.CreateAsync(disk, SimulatedFederation.Spec());
        await Plans.ReplaceAsync(federation, plan => plan with { Aggregation = new AggregationSpec { Rule = rule, NormBound = 1 } });
        var plan = Read(disk, StoreNames.Plan(SimulatedFederation.RunId, 1), StoreJson.Default.RoundPlan);
        var accepted = new AcceptedDocument([.. Enumerable.Range(0, updates).Select(i => new AcceptedUpdate($"c{i:D5}", default, 1, 1))], []);
        await disk.PutAsync(StoreNames.Accepted(plan.Run, 1), accepted, StoreJson.Default.AcceptedDocument, PutCondition.CreateOnce, CancellationToken.None);

        var answer = await federation.Activities.AcceptUpdates.RunAsync(new RoundInput(plan.Run, 1), CancellationToken.None);

        Assert.Equal(reason, DecideAggregation.Refusal(plan, accepted));
        Assert.Equal(0, answer.Measures);
    }

    [Theory]
    [InlineData(262_144, 1000, 64, 1)]
    [InlineData(262_144, 100, 64, 8)]
    [InlineData(262_145, 100, 64, 7)]
    [InlineData(1024, 2000, 64, 64)]
    [InlineData(4096, 2000, 64, 32)]
    public void BlocksAtOnce_AnyCohort_RentsNoMoreThanTheBudget(long longest, int updates, int blocks, int expected)
    {
        var atOnce = RobustRound.BlocksAtOnce(longest, updates, blocks);

        Assert.Equal(expected, atOnce);
        Assert.InRange((long)System.Numerics.BitOperations.RoundUpToPowerOf2((ulong)(atOnce * longest)) * updates, 1, RobustRound.BlockBudget);
    }

    private static async Task PublishFarAwayAsync(InMemoryObjectStore disk)
    {
        await Plans.PublishElsewhereAsync(disk);
        var far = ModelStateFile.ToBytes(new ModelState(Model.Layout, [.. Model.Values.Select(value => value - 100)], []));
        await disk.PutBytesAsync("models/far", far, PutCondition.CreateOnce, CancellationToken.None);
        var pointer = await disk.GetAsync(StoreNames.ModelPointer("digits"), StoreJson.Default.PointerDocument, CancellationToken.None);
        var served = await disk.GetAsync(StoreNames.Manifest("digits", pointer.Value.Version), StoreJson.Default.ModelManifest, CancellationToken.None);
        var name = StoreNames.Manifest("digits", served.Value.Parent!);
        var parent = await disk.GetAsync(name, StoreJson.Default.ModelManifest, CancellationToken.None);
        var moved = parent.Value with { Weights = new StoredArtifact("models/far", far.Length, Digest.Of(far)) };
        await disk.PutAsync(name, moved, StoreJson.Default.ModelManifest, PutCondition.Overwrite, CancellationToken.None);
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
        RunSpec spec, Func<RoundPlan, RoundPlan>? change = null, Repeat repeat = Repeat.Never, float lie = 1e-2f, int silent = 0,
        Func<string, float[], float[]>? buffers = null, Func<InMemoryObjectStore, Task>? prepare = null)
    {
        Assert.Empty(RunSpecValidator.Validate(spec));
        var disk = new InMemoryObjectStore();
        var clients = new SimulatedClients(disk, Clients) { Deltas = (plan, client, parameters) => Deltas(plan.Seed, client, (int)parameters, lie) };
        clients.Buffers = buffers ?? clients.Buffers;
        clients.Silent.UnionWith(clients.Ids.TakeLast(silent));
        await using var federation = new SimulatedFederation(disk, clients, repeat: repeat);
        await SimulatedFederation.AdoptAsync(disk, spec.Model, Model);
        await (prepare ?? (_ => Task.CompletedTask))(disk);
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

    private static float[] Expected(RunSpec spec, RoundPlan plan, ModelState start, float[]? previous = null)
    {
        string[] ids = [.. Enumerable.Range(0, Clients).Select(i => $"client-{i:D3}")];
        string[] judged = [.. ids.Where(id => id != spec.Aggregation.RootClient)];
        var extra = new Dictionary<RowRole, float[]>
        {
            [RowRole.Root] = Deltas(plan.Seed, "client-010", (int)plan.Parameters, 1e-2f),
            [RowRole.Previous] = previous ?? new float[plan.Parameters],
        };
        var aggregate = new double[plan.Parameters];
        var pass = UpdateMatrix.Aggregate(
            spec.Aggregation.ToRule()!, [.. judged.Select(id => Sent(plan, start.Layout, Deltas(plan.Seed, id, (int)plan.Parameters, 1e-2f)))],
            [.. judged.Select(id => 10.0 + int.Parse(id[^3..]))], extra, DeterministicRandom.Derive(plan.Seed, "buckets"), aggregate);
        Assert.Null(pass.Refusal);
        return [.. aggregate.Select((step, i) => (float)(start.Parameters[i] + step))];
    }

    /// <summary>What arrives of an update: through its codec.</summary>
    private static float[] Sent(RoundPlan plan, TensorLayout layout, float[] deltas)
    {
        var decoded = new float[deltas.Length];
        UpdateEncoder.EncodeDeltas(
            UpdateShape.Create(layout, plan.Update), plan.Base.Digest, deltas, new float[plan.Buffers], new long[layout.IntegerCount], Stream.Null, decoded);
        return decoded;
    }

    private static T Read<T>(InMemoryObjectStore disk, string name, JsonTypeInfo<T> type) => JsonSerializer.Deserialize(disk.Peek(name), type)!;

    private sealed record PublishedRound(RoundOutcome Outcome, InMemoryObjectStore Disk, RoundPlan Plan, ModelState Start, ModelState Served);
}
