using System.Runtime.InteropServices;
using System.Text.Json;
using FedServerless.Activities.Privacy;
using FedServerless.Activities.Rounds;
using FedServerless.Activities.Runs;
using FedServerless.Activities.State;
using FedServerless.Model;
using FedServerless.Privacy;
using FedServerless.Storage;
using FedServerless.Testing;
using FedServerless.Testing.Federation;
using FedServerless.Testing.Storage;
using FedServerless.Wire;
using FedServerless.Workflows.Rounds;

namespace FedServerless.Orchestrations.Tests.Privacy;

/// <summary>A round under central differential privacy, with the real workflows and activities.</summary>
public sealed class PrivateRoundTests
{
    // As little noise as a budget admits for one round: 0.15·C/(qN) a coordinate, so that a mean can be told from what it is not.
    private const double LittleNoise = 0.15;

    // Chance leaves six deviations once in 5·10⁸ values.
    private const double Deviations = 6;

    [Fact]
    public async Task RunAsync_AllAnswer_PublishesTheClippedMeanAndANoiseOfItsDeviation()
    {
        var disk = new InMemoryObjectStore();
        var clients = new SimulatedClients(disk, 4) { Deltas = (_, client, parameters) => Along(client, 100, parameters) };
        await using var federation = new SimulatedFederation(disk, clients);
        await PrepareAsync(disk, clients, Spec(LittleNoise, clip: 2));

        await federation.RunAsync();

        // Each delta is 100 long and clipped to 2, at one coordinate of its own; four of them over qN = 4.
        var step = await StepAsync(disk);
        for (var i = 0; i < 4; i++)
        {
            Assert.Equal(2.0 / 4, step[i], Deviations * LittleNoise * 2 / 4);
        }

        Assert.All(step[4..], value => Assert.Equal(0, value, Deviations * LittleNoise * 2 / 4));
        Assert.Contains(step[4..], value => value != 0);
    }

    [Fact] // PITFALLS 3, 41: the denominator is fixed, and nobody coming is a round like any other.
    public async Task RunAsync_OneOfFourAnswers_DividesByTheDeclaredFour()
    {
        var disk = new InMemoryObjectStore();
        var clients = new SimulatedClients(disk, 4) { Deltas = (_, client, parameters) => Along(client, 1, parameters), Silent = { "client-001", "client-002", "client-003" } };
        await using var federation = new SimulatedFederation(disk, clients);
        await PrepareAsync(disk, clients, Spec(LittleNoise));

        await federation.RunAsync();

        Assert.Equal(1.0 / 4, (await StepAsync(disk))[0], Deviations * LittleNoise / 4);
    }

    [Fact]
    public async Task RunAsync_NobodyAnswers_PublishesNoiseAndCharges()
    {
        var disk = new InMemoryObjectStore();
        var clients = new SimulatedClients(disk, 2) { Silent = { "client-000", "client-001" } };
        await using var federation = new SimulatedFederation(disk, clients);
        var ledger = await PrepareAsync(disk, clients, Spec(1));

        var result = await federation.RunAsync();

        Assert.Equal(RunStates.Completed, result.State);
        Assert.Contains(await StepAsync(disk), value => value != 0);
        Assert.True(await ledger.IsChargedAsync("default", SimulatedFederation.RunId, 1, CancellationToken.None));
    }

    [Fact]
    public async Task RunAsync_CoinsSelectNobody_IsARoundLikeAnyOther()
    {
        var disk = new InMemoryObjectStore();
        var clients = new SimulatedClients(disk, 1);
        await using var federation = new SimulatedFederation(disk, clients);
        var spec = Spec(1, rate: 1e-12);
        var ledger = await PrepareAsync(disk, clients, spec with { Privacy = spec.Privacy! with { Clients = 1_000_000_000 } });

        await federation.RunAsync();

        Assert.True(await ledger.IsChargedAsync("default", SimulatedFederation.RunId, 1, CancellationToken.None));
        Assert.Equal(0, (await OutcomeAsync(disk)).Cohort);
        Assert.True((await OutcomeAsync(disk)).Published);
    }

    [Fact]
    public async Task RunAsync_EverybodyHasAnswered_WaitsForTheDeadline()
    {
        var disk = new InMemoryObjectStore();
        var clients = new SimulatedClients(disk, 2);
        await using var federation = new SimulatedFederation(disk, clients);
        await PrepareAsync(disk, clients, Spec(1));
        var before = federation.Environment.Time.GetUtcNow();

        await federation.RunAsync();

        Assert.True(federation.Environment.Time.GetUtcNow() - before >= TimeSpan.FromSeconds(600));
    }

    [Fact] // PITFALLS 4: sample counts neither weigh nor scale the sensitivity.
    public async Task RunAsync_InflatedSamples_WeighNothing()
    {
        var disk = new InMemoryObjectStore();
        var clients = new SimulatedClients(disk, 2)
        {
            Deltas = (_, client, parameters) => Along(client, 1, parameters),
            Samples = client => client == "client-000" ? 1_000_000 : 1,
        };
        await using var federation = new SimulatedFederation(disk, clients);
        await PrepareAsync(disk, clients, Spec(LittleNoise));

        await federation.RunAsync();

        var step = await StepAsync(disk);
        Assert.Equal(0.5, step[0], Deviations * LittleNoise / 2);
        Assert.Equal(0.5, step[1], Deviations * LittleNoise / 2);
    }

    [Theory] // PITFALLS 7: clipped again by the server, never refused for its norm.
    [InlineData("float32", 1e30f)]
    [InlineData("int8", 1e20f)]
    [InlineData("float16", 6e4f)]
    public async Task RunAsync_ClientDoesNotClip_MovesTheModelByItsShareOfTheClip(string codec, float length)
    {
        var disk = new InMemoryObjectStore();
        var clients = new SimulatedClients(disk, 2) { Deltas = (_, client, parameters) => Along(client, client == "client-000" ? length : 0, parameters) };
        await using var federation = new SimulatedFederation(disk, clients);
        var spec = Spec(LittleNoise);
        await PrepareAsync(disk, clients, spec with { Update = spec.Update with { Codec = codec } });

        await federation.RunAsync();

        Assert.Equal(0.5, (await StepAsync(disk))[0], Deviations * LittleNoise / 2);
        Assert.Empty((await AcceptedAsync(disk)).Refused);
    }

    [Fact]
    public async Task RunAsync_TwoLevels_PublishesTheSameMean()
    {
        var disk = new InMemoryObjectStore();
        var clients = new SimulatedClients(disk, 3) { Deltas = (_, client, parameters) => Along(client, 1, parameters) };
        await using var federation = new SimulatedFederation(disk, clients);
        var spec = Spec(LittleNoise);
        await PrepareAsync(disk, clients, spec with { Aggregation = spec.Aggregation with { Levels = 2 } });

        await federation.RunAsync();

        var step = await StepAsync(disk);
        Assert.All(Enumerable.Range(0, 3), i => Assert.Equal(1.0 / 3, step[i], Deviations * LittleNoise / 3));
        Assert.DoesNotContain(disk.Names, name => name.Contains("/slices/", StringComparison.Ordinal) || name.Contains(".chunk", StringComparison.Ordinal));
    }

    [Fact]
    public async Task RunAsync_BudgetForThreeRounds_EndsBudgetSpentBeforeItSelectsAnybody()
    {
        var disk = new InMemoryObjectStore();
        var clients = new SimulatedClients(disk, 2);
        await using var federation = new SimulatedFederation(disk, clients);
        var spec = Spec(2) with { Rounds = 100 };
        var ledger = await PrepareAsync(disk, clients, spec, epsilon: 6);

        var result = await federation.RunAsync();

        Assert.Equal(RunStates.BudgetSpent, result.State);
        var last = (await RunOutcomeAsync(disk)).Published;
        Assert.InRange(last, 2, 20);
        Assert.Null(disk.Peek(StoreNames.Plan(SimulatedFederation.RunId, last + 1)));
        Assert.DoesNotContain(disk.Names, name => name.StartsWith(StoreNames.Round(SimulatedFederation.RunId, last + 1), StringComparison.Ordinal));
        Assert.True(await ledger.IsChargedAsync("default", SimulatedFederation.RunId, last, CancellationToken.None));
        Assert.False(await ledger.IsChargedAsync("default", SimulatedFederation.RunId, last + 1, CancellationToken.None));
    }

    [Fact]
    public async Task RunAsync_NoPrivacyOnAGuardedPopulation_EndsFailedAndTrainsNothing()
    {
        var disk = new InMemoryObjectStore();
        var clients = new SimulatedClients(disk, 2);
        await using var federation = new SimulatedFederation(disk, clients);
        await PrepareAsync(disk, clients, SimulatedFederation.Spec());

        var result = await federation.RunAsync();

        Assert.Equal(RunStates.Failed, result.State);
        Assert.Contains("privacy budget", result.Reason, StringComparison.Ordinal);
    }

    [Fact] // PITFALLS 50: running statistics are no part of what is clipped and noised.
    public async Task RunAsync_ModelWithBuffers_EndsFailedWithTheReason()
    {
        var disk = new InMemoryObjectStore();
        var clients = new SimulatedClients(disk, 2);
        await using var federation = new SimulatedFederation(disk, clients);
        await SimulatedFederation.AdoptAsync(disk, "digits", Rounds.Models.WithBatchNorm());
        await PrepareAsync(disk, clients, Spec(1) with { Architecture = null });

        var result = await federation.RunAsync();

        Assert.Equal(RunStates.Failed, result.State);
        Assert.Contains("buffer", result.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RunAsync_StoppedInARound_GivesTheReservationBack()
    {
        var disk = new InMemoryObjectStore();
        var clients = new SimulatedClients(disk, 2);
        await using var federation = new SimulatedFederation(disk, clients);
        var ledger = await PrepareAsync(disk, clients, Spec(1) with { Rounds = 5 });
        clients.Tamper = (_, _, update) =>
        {
            federation.SetControlAsync(ControlStates.Stop).GetAwaiter().GetResult();
            return update;
        };

        var result = await federation.RunAsync();

        Assert.Equal(RunStates.Stopped, result.State);
        Assert.False(await ledger.IsChargedAsync("default", SimulatedFederation.RunId, 1, CancellationToken.None));
        Assert.True((await ledger.ReserveAsync("default", "another", 1, Release(), CancellationToken.None)).Admitted);
        Assert.Null(disk.Peek(StoreNames.NoisySum(SimulatedFederation.RunId, 1, 0)));
    }

    [Fact] // PITFALLS 18: what is un-noised goes when the round closes.
    public async Task RunAsync_Closed_LeavesNothingUnNoised()
    {
        var disk = new InMemoryObjectStore();
        var clients = new SimulatedClients(disk, 3) { Deltas = (_, client, parameters) => Along(client, 7, parameters) };
        await using var federation = new SimulatedFederation(disk, clients);
        await PrepareAsync(disk, clients, Spec(1, adaptive: true));

        await federation.RunAsync();

        Assert.DoesNotContain(disk.Names, name => name.StartsWith("updates/", StringComparison.Ordinal));
        Assert.DoesNotContain(disk.Names, name => name.Contains("/slices/", StringComparison.Ordinal));
        Assert.Empty(disk.Peek(StoreNames.NoisySum(SimulatedFederation.RunId, 1, 0))!);
        Assert.All((await AcceptedAsync(disk)).Accepted, update => Assert.Equal((0.0, null, default), (update.Norm, update.Private, update.Header)));
        foreach (var client in clients.Ids)
        {
            var receipt = JsonSerializer.Deserialize(disk.Peek(StoreNames.Receipt(SimulatedFederation.RunId, 1, client)), StoreJson.Default.ReceiptDocument)!;
            Assert.Equal(("", "", default, 1L, null), (receipt.Body, receipt.Proof, receipt.Receipt.HeaderDigest, receipt.Receipt.Samples, receipt.Receipt.WithinClip));
            Assert.Empty(receipt.Receipt.Metrics);
            Assert.Equal(0, receipt.Receipt.Bytes);
        }

        var verdicts = disk.Names.Where(name => name.Contains("/verdicts/", StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(verdicts);
        Assert.All(verdicts, name => Assert.Empty(JsonSerializer.Deserialize(disk.Peek(name), StoreJson.Default.VerdictsDocument)!.Verdicts));

        Assert.Empty((await OutcomeAsync(disk)).Metrics);
    }

    [Fact]
    public async Task RunAsync_Manifest_TellsNeitherCohortNorCountsAndItsCommitmentOpens()
    {
        var disk = new InMemoryObjectStore();
        var clients = new SimulatedClients(disk, 3);
        await using var federation = new SimulatedFederation(disk, clients);
        await PrepareAsync(disk, clients, Spec(1));

        await federation.RunAsync();

        var manifest = JsonSerializer.Deserialize(disk.Peek(StoreNames.Manifest("digits", "run-r1")), StoreJson.Default.ModelManifest)!;
        Assert.Equal((null, null, null, 0), (manifest.Plan, manifest.Seal, manifest.AcceptedDigest, manifest.Accepted));
        Assert.Empty(manifest.Metrics);
        var salt = JsonSerializer.Deserialize(disk.Peek(StoreNames.Commitment(SimulatedFederation.RunId, 1)), StoreJson.Default.CommitmentDocument)!.Salt;
        var plan = Digest.Of(disk.Peek(StoreNames.Plan(SimulatedFederation.RunId, 1)));
        var seal = Digest.Of(disk.Peek(StoreNames.Seal(SimulatedFederation.RunId, 1)));
        Assert.Equal(Digest.Of([.. Convert.FromBase64String(salt), .. plan.AsSpan(), .. seal.AsSpan()]), manifest.Privacy!.Commitment);
        Assert.Equal(32, Convert.FromBase64String(salt).Length);
    }

    [Theory] // PITFALLS 9, 40: a second draw on the same sums would be a second release.
    [InlineData(Repeat.InSequence)]
    [InlineData(Repeat.AtOnce)]
    public async Task RunAsync_EveryActivityTwice_DrawsChargesAndPublishesOnce(Repeat repeat)
    {
        var disk = new InMemoryObjectStore();
        var kept = new KeepingStore(disk);
        var clients = new SimulatedClients(disk, 3);
        await using var federation = new SimulatedFederation(disk, clients, kept, repeat: repeat);
        var ledger = await PrepareAsync(disk, clients, Spec(1, adaptive: true) with { Rounds = 3 });

        var result = await federation.RunAsync();

        Assert.Equal(RunStates.Completed, result.State);
        for (var round = 1; round <= 3; round++)
        {
            // One draw, then empty; the next clip once; every weight from that draw.
            var draws = kept.Versions(StoreNames.NoisySum(SimulatedFederation.RunId, round, 0)).Where(bytes => bytes.Length > 0).ToList();
            Assert.Single(draws);
            Assert.Single(kept.Versions(StoreNames.Clip(SimulatedFederation.RunId, round)));
            await AssertPublishedAsync(disk, round, draws[0]);
        }

        Assert.Equal(3, (await ledger.ReadAsync("default", CancellationToken.None)).Keys.Count(key => key.Value.Status == LedgerStatus.Charged));
    }

    [Fact] // Figure 5: whatever write it dies at, what was noised was charged before, once, and the round ends.
    public async Task RunAsync_HostDiesAtAnyWrite_NeverNoisesUncharged()
    {
        var writes = await WriteCountAsync();
        Assert.InRange(writes, 20, 500);
        for (var at = 1; at <= writes; at++)
        {
            foreach (var fault in new[] { StoreFault.CrashBefore, StoreFault.CrashAfter })
            {
                await DieOnceAsync(at, fault);
            }
        }
    }

    [Fact]
    public async Task RunAsync_AdaptiveClip_FollowsTheNormsFromNoisedBitsAlone()
    {
        var disk = new InMemoryObjectStore();
        var clients = new SimulatedClients(disk, 20) { Deltas = (_, client, parameters) => Along(client, 5, parameters) };
        clients.Tamper = (plan, _, update) => update with { Receipt = update.Receipt with { WithinClip = 5 <= plan.Privacy!.Clip } };
        await using var federation = new SimulatedFederation(disk, clients);
        var spec = Spec(1, adaptive: true) with { Rounds = 30 };
        await PrepareAsync(disk, clients, spec);

        await federation.RunAsync();

        // From C = 1, too small for all: C grows by exp(0.2·½) a round until the norms of 5, then stays about there.
        var clips = Enumerable.Range(1, 30).Select(round => PlanOf(disk, round).Privacy!.Clip).ToList();
        Assert.Equal(1, clips[0]);
        Assert.Equal(Math.Exp(0.1), clips[1], 0.2 * Deviations * 1 / 20);
        Assert.InRange(clips[^1], 4, 6.5);
    }

    [Fact]
    public async Task RunAsync_BitsOfClientsThatSendNone_CountAsNothing()
    {
        var disk = new InMemoryObjectStore();
        var clients = new SimulatedClients(disk, 4);
        await using var federation = new SimulatedFederation(disk, clients);
        await PrepareAsync(disk, clients, Spec(LittleNoise, adaptive: true));

        await federation.RunAsync();

        var clip = JsonSerializer.Deserialize(disk.Peek(StoreNames.Clip(SimulatedFederation.RunId, 1)), StoreJson.Default.ClipDocument)!;
        Assert.Equal(1, clip.Next, 0.2 * Deviations * 0.5 / 4);
    }

    [Fact] // PITFALLS 1, 11: whoever knows the seed still does not know the cohort.
    public async Task RunAsync_SameSpecAndSeed_DrawsAnotherCohort()
    {
        var first = await CohortAsync();
        var second = await CohortAsync();

        // 64 fair coins fall alike once in 2⁶⁴.
        Assert.NotEqual(first, second);

        static async Task<Digest> CohortAsync()
        {
            var disk = new InMemoryObjectStore();
            var clients = new SimulatedClients(disk, 64);
            await using var federation = new SimulatedFederation(disk, clients);
            await PrepareAsync(disk, clients, Spec(1, rate: 0.5));
            await federation.RunAsync();
            return PlanOf(disk, 1).Cohort.Digest;
        }
    }

    [Fact]
    public async Task ReduceShard_NotCharged_NoisesNothing()
    {
        var disk = new InMemoryObjectStore();
        var clients = new SimulatedClients(disk, 2);
        await using var federation = new SimulatedFederation(disk, clients);
        await PrepareAsync(disk, clients, Spec(1));
        var (input, token) = (new RoundInput(SimulatedFederation.RunId, 1), CancellationToken.None);
        await federation.Activities.DecideStep.RunAsync(new Workflows.Runs.RunProgress(SimulatedFederation.RunId), token);
        await federation.Activities.OpenRound.RunAsync(input, token);
        await clients.AnswerAsync(SimulatedFederation.RunId, 1, token);
        await federation.Activities.SealRound.RunAsync(input, token);
        await federation.Activities.ValidateUpdates.RunAsync(new ValidationChunk(SimulatedFederation.RunId, 1, 0), token);
        await federation.Activities.AcceptUpdates.RunAsync(input, token);

        await Assert.ThrowsAsync<InvalidOperationException>(() => federation.Activities.ReduceShard.RunAsync(new ReduceInput(SimulatedFederation.RunId, 1, 0), token));

        Assert.DoesNotContain(disk.Names, name => name.Contains("/noisy/", StringComparison.Ordinal));
    }

    [Fact]
    public async Task ReduceShard_LateCopyAfterTheClose_PublishesNoSecondDraw()
    {
        var disk = new InMemoryObjectStore();
        var kept = new KeepingStore(disk);
        var clients = new SimulatedClients(disk, 2);
        await using var federation = new SimulatedFederation(disk, clients, kept);
        await PrepareAsync(disk, clients, Spec(1));
        await federation.RunAsync();

        // As if it had looked before the round was over: the outcome is hidden from it.
        await disk.DeleteAsync(StoreNames.RoundOutcome(SimulatedFederation.RunId, 1), CancellationToken.None);
        var late = await federation.Activities.ReduceShard.RunAsync(new ReduceInput(SimulatedFederation.RunId, 1, 0), CancellationToken.None);

        Assert.True(late.Finite);
        Assert.Single(kept.Versions(StoreNames.NoisySum(SimulatedFederation.RunId, 1, 0)), bytes => bytes.Length > 0);
        Assert.DoesNotContain(disk.Names, name => name.Contains("/slices/", StringComparison.Ordinal));
    }

    [Fact]
    public async Task FoldChunks_LateCopyThatSeesTheRoundEndWhileItFolds_LeavesNoUnNoisedSum()
    {
        var disk = new InMemoryObjectStore();
        var clients = new SimulatedClients(disk, 2);
        var (input, token) = (new RoundInput(SimulatedFederation.RunId, 1), CancellationToken.None);

        // The outcome appears when the partial sum is written, as if the close had come in between.
        var store = new FaultInjectingStore(disk)
        {
            Gate = (write, _) => write.Name.Contains(".chunk", StringComparison.Ordinal)
                ? disk.PutBytesAsync(StoreNames.RoundOutcome(SimulatedFederation.RunId, 1), "{}"u8.ToArray(), PutCondition.Overwrite, token)
                : Task.CompletedTask,
        };
        await using var federation = new SimulatedFederation(disk, clients, store);
        var spec = Spec(1);
        await PrepareAsync(disk, clients, spec with { Aggregation = spec.Aggregation with { Levels = 2 } });
        await federation.Activities.DecideStep.RunAsync(new Workflows.Runs.RunProgress(SimulatedFederation.RunId), token);
        await federation.Activities.OpenRound.RunAsync(input, token);
        await clients.AnswerAsync(SimulatedFederation.RunId, 1, token);
        await federation.Activities.SealRound.RunAsync(input, token);
        await federation.Activities.ValidateUpdates.RunAsync(new ValidationChunk(SimulatedFederation.RunId, 1, 0), token);
        await federation.Activities.AcceptUpdates.RunAsync(input, token);

        await federation.Activities.FoldChunks.RunAsync(new FoldInput(SimulatedFederation.RunId, 1, 0), token);

        // Where the sweep of orphans finds them, should this copy die between writing and looking.
        var chunks = store.Writes.Where(write => write.Name.Contains(".chunk", StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(chunks);
        Assert.All(chunks, write => Assert.StartsWith("updates/", write.Name, StringComparison.Ordinal));
        Assert.DoesNotContain(disk.Names, name => name.Contains(".chunk", StringComparison.Ordinal) || name.Contains("/slices/", StringComparison.Ordinal));
    }

    [Fact]
    public async Task RunAsync_LedgerBroken_EndsFailedAndSaysWhere()
    {
        var disk = new InMemoryObjectStore();
        var clients = new SimulatedClients(disk, 2);
        await using var federation = new SimulatedFederation(disk, clients);
        await PrepareAsync(disk, clients, Spec(1) with { Rounds = 3 });
        await disk.PutBytesAsync(StoreNames.LedgerEntry("default", 1), "{}"u8.ToArray(), PutCondition.Overwrite, CancellationToken.None);

        var result = await federation.RunAsync();

        Assert.Equal(RunStates.Failed, result.State);
        Assert.Contains("1", result.Reason, StringComparison.Ordinal);
        Assert.Null(disk.Peek(StoreNames.Plan(SimulatedFederation.RunId, 1)));
    }

    internal static RunSpec Spec(double noise, double clip = 1, double rate = 1, bool adaptive = false) => SimulatedFederation.Spec() with
    {
        RetainUpdates = false,
        Selection = new SelectionSpec { Kind = Selections.Poisson, Rate = rate, QuarantineAfter = 0 },
        Aggregation = new AggregationSpec { Weighting = Weightings.Uniform },
        Privacy = new PrivacySpec { Clients = 1, NoiseMultiplier = noise, Clip = clip, AdaptiveClip = adaptive ? new AdaptiveClipSpec { BitNoise = Math.Max(0.5, noise) } : null },
    };

    private static NoisyRelease Release() => new(ClientSampling.Poisson, 1, 1) { GridBits = 12 };

    /// <summary>A vector of this length along the client's own coordinate.</summary>
    internal static float[] Along(string client, float length, long parameters)
    {
        var delta = new float[parameters];
        delta[int.Parse(client[^3..]) % parameters] = length;
        return delta;
    }

    /// <summary>Members, a budget, and the run; N is the number of clients unless the spec declares more.</summary>
    internal static async Task<PrivacyLedger> PrepareAsync(InMemoryObjectStore disk, SimulatedClients clients, RunSpec spec, double epsilon = PrivacyBudget.LargestEpsilon)
    {
        foreach (var client in clients.Ids)
        {
            await disk.PutBytesAsync(StoreNames.Member("default", client), default, PutCondition.CreateOnce, CancellationToken.None);
        }

        if (spec.Privacy is { Clients: 1 })
        {
            spec = spec with { Privacy = spec.Privacy with { Clients = clients.Ids.Count } };
        }

        Assert.Empty(RunSpecValidator.Validate(spec with { RetainUpdates = spec.Privacy is null && spec.RetainUpdates }));
        await SimulatedFederation.CreateAsync(disk, spec);
        var ledger = new PrivacyLedger(disk, new ManualTimeProvider());
        var answer = await ledger.SetBudgetAsync(
            "default", new BudgetSetting(epsilon, 1e-10, clients.Ids.Count) { Adaptivity = FilterAdaptivity.ScheduleFixed }, "officer", CancellationToken.None);
        Assert.Null(answer.Refusal);
        return ledger;
    }

    /// <summary>What the first round added to the first version.</summary>
    internal static async Task<float[]> StepAsync(InMemoryObjectStore disk)
    {
        var before = await ReadAsync(disk, PlanOf(disk, 1).BaseVersion);
        var after = await ReadAsync(disk, "run-r1");
        return [.. after.Parameters.ToArray().Zip(before.Parameters.ToArray(), (now, then) => now - then)];
    }

    private static Task<ModelState> ReadAsync(InMemoryObjectStore disk, string version) => Task.FromResult(ModelStateFile.Read(disk.Peek(StoreNames.Weights("digits", version))!));

    internal static RoundPlan PlanOf(InMemoryObjectStore disk, int round) =>
        JsonSerializer.Deserialize(disk.Peek(StoreNames.Plan(SimulatedFederation.RunId, round)), StoreJson.Default.RoundPlan)!;

    internal static async Task<RoundOutcomeDocument> OutcomeAsync(InMemoryObjectStore disk) =>
        (await disk.GetAsync(StoreNames.RoundOutcome(SimulatedFederation.RunId, 1), StoreJson.Default.RoundOutcomeDocument, CancellationToken.None)).Value;

    private static async Task<RunOutcomeDocument> RunOutcomeAsync(InMemoryObjectStore disk) =>
        (await disk.GetAsync(StoreNames.RunOutcome(SimulatedFederation.RunId), StoreJson.Default.RunOutcomeDocument, CancellationToken.None)).Value;

    internal static async Task<AcceptedDocument> AcceptedAsync(InMemoryObjectStore disk) =>
        (await disk.GetAsync(StoreNames.Accepted(SimulatedFederation.RunId, 1), StoreJson.Default.AcceptedDocument, CancellationToken.None)).Value;

    /// <summary>The version is its parent plus the draw that is stored, and nothing else.</summary>
    private static async Task AssertPublishedAsync(InMemoryObjectStore disk, int round, byte[] draw)
    {
        var plan = PlanOf(disk, round);
        var noisy = MemoryMarshal.Cast<byte, long>(PartialSum.Values(draw)).ToArray();
        var mean = new double[noisy.Length];
        plan.Privacy!.Grid.Complete(noisy, plan.Privacy.Terms.Denominator, mean);
        var before = await ReadAsync(disk, plan.BaseVersion);
        var after = await ReadAsync(disk, $"run-r{round}");
        var expected = before.Parameters.ToArray().Zip(mean, (value, step) => (float)(value + step)).ToArray();
        Assert.Equal(expected, after.Parameters.ToArray());
    }

    private static async Task<int> WriteCountAsync()
    {
        var disk = new InMemoryObjectStore();
        var clients = new SimulatedClients(disk, 2);
        await PrepareAsync(disk, clients, Spec(1, adaptive: true));
        var counting = new FaultInjectingStore(disk);
        await using var federation = new SimulatedFederation(disk, clients, counting);
        await federation.RunAsync();
        return counting.WriteCount;
    }

    private static async Task DieOnceAsync(int at, StoreFault fault)
    {
        var disk = new InMemoryObjectStore();
        var kept = new KeepingStore(disk);
        var clients = new SimulatedClients(disk, 2);
        var ledger = await PrepareAsync(disk, clients, Spec(1, adaptive: true));
        var mortal = FaultInjectingStore.At(kept, at, fault);
        await using (var dying = new SimulatedFederation(disk, clients, mortal))
        {
            await dying.RunUntilDeadOrDoneAsync(mortal);
        }

        var noised = kept.Names.Where(name => name.Contains("/noisy/", StringComparison.Ordinal) || name.EndsWith("/clip.json", StringComparison.Ordinal));
        if (noised.Any())
        {
            Assert.True(await ledger.IsChargedAsync("default", SimulatedFederation.RunId, 1, CancellationToken.None), $"Noised uncharged: {fault} at write {at}.");
        }

        await using var federation = new SimulatedFederation(disk, clients, kept);
        var result = await federation.RunAsync();

        Assert.Equal(RunStates.Completed, result.State);
        var draws = kept.Versions(StoreNames.NoisySum(SimulatedFederation.RunId, 1, 0)).Where(bytes => bytes.Length > 0).ToList();
        Assert.Single(draws);
        await AssertPublishedAsync(disk, 1, draws[0]);
        Assert.Single((await ledger.ReadAsync("default", CancellationToken.None)).Keys, key => key.Value.Status == LedgerStatus.Charged);
    }
}
