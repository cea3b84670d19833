using FedServerless.Activities.Runs;
using FedServerless.Activities.State;
using FedServerless.Privacy;
using FedServerless.Testing.Federation;
using FedServerless.Wire;
using static FedServerless.Orchestrations.Tests.Privacy.PrivateRig;

namespace FedServerless.Orchestrations.Tests.Privacy;

/// <summary>A round under central differential privacy, with the real workflows and activities.</summary>
public sealed class PrivateRoundTests
{
    [Fact]
    public async Task RunAsync_AllAnswer_PublishesTheClippedMeanAndANoiseOfItsDeviation()
    {
        await using var rig = await OpenAsync(4, Spec(LittleNoise, clip: 2), clients => clients.Deltas = EachAlong(100));

        await rig.RunAsync();

        // Each delta is 100 long and clipped to 2, at one coordinate of its own; four of them over qN = 4.
        var step = rig.Step;
        Assert.All(step[..4], value => Assert.Equal(2.0 / 4, value, Deviations * LittleNoise * 2 / 4));
        Assert.All(step[4..], value => Assert.Equal(0, value, Deviations * LittleNoise * 2 / 4));
        Assert.Contains(step[4..], value => value != 0);
    }

    [Fact] // PITFALLS 3, 41: the denominator is fixed, and nobody coming is a round like any other.
    public async Task RunAsync_OneOfFourAnswers_DividesByTheDeclaredFour()
    {
        await using var rig = await OpenAsync(4, Spec(LittleNoise), clients =>
        {
            clients.Deltas = EachAlong(1);
            clients.Silent.UnionWith(clients.Ids.Skip(1));
        });

        await rig.RunAsync();

        Assert.Equal(1.0 / 4, rig.Step[0], Deviations * LittleNoise / 4);
    }

    [Fact]
    public async Task RunAsync_NobodyAnswers_PublishesNoiseAndCharges()
    {
        await using var rig = await OpenAsync(2, Spec(1), clients => clients.Silent.UnionWith(clients.Ids));

        var result = await rig.RunAsync();

        Assert.Equal(RunStates.Completed, result.State);
        Assert.Contains(rig.Step, value => value != 0);
        Assert.True(await rig.IsChargedAsync());
    }

    [Fact]
    public async Task RunAsync_CoinsSelectNobody_IsARoundLikeAnyOther()
    {
        var spec = Spec(1, rate: 1e-12);
        await using var rig = await OpenAsync(1, spec with { Privacy = spec.Privacy! with { Clients = 1_000_000_000 } });

        await rig.RunAsync();

        Assert.True(await rig.IsChargedAsync());
        Assert.Equal(0, rig.Outcome.Cohort);
        Assert.True(rig.Outcome.Published);
    }

    [Fact]
    public async Task RunAsync_EverybodyHasAnswered_WaitsForTheDeadline()
    {
        await using var rig = await OpenAsync(2, Spec(1));
        var before = rig.Federation.Environment.Time.GetUtcNow();

        await rig.RunAsync();

        Assert.True(rig.Federation.Environment.Time.GetUtcNow() - before >= TimeSpan.FromSeconds(600));
    }

    [Fact] // PITFALLS 4: sample counts neither weigh nor scale the sensitivity.
    public async Task RunAsync_InflatedSamples_WeighNothing()
    {
        await using var rig = await OpenAsync(2, Spec(LittleNoise), clients =>
        {
            clients.Deltas = EachAlong(1);
            clients.Samples = client => client == "client-000" ? 1_000_000 : 1;
        });

        await rig.RunAsync();

        Assert.All(rig.Step[..2], value => Assert.Equal(0.5, value, Deviations * LittleNoise / 2));
    }

    [Theory] // PITFALLS 7: clipped again by the server, never refused for its norm.
    [InlineData("float32", 1e30f)]
    [InlineData("int8", 1e20f)]
    [InlineData("float16", 6e4f)]
    public async Task RunAsync_ClientDoesNotClip_MovesTheModelByItsShareOfTheClip(string codec, float length)
    {
        var spec = Spec(LittleNoise);
        await using var rig = await OpenAsync(
            2, spec with { Update = spec.Update with { Codec = codec } },
            clients => clients.Deltas = (_, client, parameters) => Along(client, client == "client-000" ? length : 0, parameters));

        await rig.RunAsync();

        Assert.Equal(0.5, rig.Step[0], Deviations * LittleNoise / 2);
        Assert.Empty(rig.Accepted.Refused);
    }

    [Fact]
    public async Task RunAsync_TwoLevels_PublishesTheSameMean()
    {
        var spec = Spec(LittleNoise);
        await using var rig = await OpenAsync(3, spec with { Aggregation = spec.Aggregation with { Levels = 2 } }, clients => clients.Deltas = EachAlong(1));

        await rig.RunAsync();

        Assert.All(rig.Step[..3], value => Assert.Equal(1.0 / 3, value, Deviations * LittleNoise / 3));
        Assert.DoesNotContain(rig.Disk.Names, name => name.Contains("/slices/", StringComparison.Ordinal) || name.Contains(".chunk", StringComparison.Ordinal));
    }

    [Fact]
    public async Task RunAsync_BudgetForThreeRounds_EndsBudgetSpentBeforeItSelectsAnybody()
    {
        await using var rig = await OpenAsync(2, Spec(2) with { Rounds = 100 }, epsilon: 6);

        var result = await rig.RunAsync();

        Assert.Equal(RunStates.BudgetSpent, result.State);
        var last = rig.Read(StoreNames.RunOutcome(SimulatedFederation.RunId), StoreJson.Default.RunOutcomeDocument).Published;
        Assert.InRange(last, 2, 20);
        Assert.Null(rig.Disk.Peek(StoreNames.Plan(SimulatedFederation.RunId, last + 1)));
        Assert.DoesNotContain(rig.Disk.Names, name => name.StartsWith(StoreNames.Round(SimulatedFederation.RunId, last + 1), StringComparison.Ordinal));
        Assert.True(await rig.IsChargedAsync(last));
        Assert.False(await rig.IsChargedAsync(last + 1));
    }

    [Fact]
    public async Task RunAsync_NoPrivacyOnAGuardedPopulation_EndsFailedAndTrainsNothing()
    {
        await using var rig = await OpenAsync(2, SimulatedFederation.Spec());

        var result = await rig.RunAsync();

        Assert.Equal(RunStates.Failed, result.State);
        Assert.Contains("privacy budget", result.Reason, StringComparison.Ordinal);
    }

    [Fact] // PITFALLS 50: running statistics are no part of what is clipped and noised.
    public async Task RunAsync_ModelWithBuffers_EndsFailedWithTheReason()
    {
        await using var rig = await OpenAsync(2, Spec(1) with { Architecture = null }, model: Rounds.Models.WithBatchNorm());

        var result = await rig.RunAsync();

        Assert.Equal(RunStates.Failed, result.State);
        Assert.Contains("buffer", result.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RunAsync_StoppedInARound_GivesTheReservationBack()
    {
        await using var rig = await OpenAsync(2, Spec(1) with { Rounds = 5 });
        rig.Clients.Tamper = (_, _, update) =>
        {
            rig.Federation.SetControlAsync(ControlStates.Stop).GetAwaiter().GetResult();
            return update;
        };

        var result = await rig.RunAsync();

        Assert.Equal(RunStates.Stopped, result.State);
        Assert.False(await rig.IsChargedAsync());
        var release = new NoisyRelease(ClientSampling.Poisson, 1, 1) { GridBits = 12 };
        Assert.True((await rig.Ledger.ReserveAsync(Population, "another", 1, release, CancellationToken.None)).Admitted);
        Assert.Empty(rig.Draws());
    }

    [Fact]
    public async Task RunAsync_AdaptiveClip_FollowsTheNormsFromNoisedBitsAlone()
    {
        await using var rig = await OpenAsync(20, Spec(1, adaptive: true) with { Rounds = 30 }, clients =>
        {
            clients.Deltas = EachAlong(5);
            clients.Tamper = (plan, _, update) => update with { Receipt = update.Receipt with { WithinClip = 5 <= plan.Privacy!.Clip } };
        });

        await rig.RunAsync();

        // From C = 1, too small for all: C grows by exp(0.2·½) a round until the norms of 5, then stays about there.
        var clips = Enumerable.Range(1, 30).Select(round => PlanOf(rig.Disk, round).Privacy!.Clip).ToList();
        Assert.Equal(1, clips[0]);
        Assert.Equal(Math.Exp(0.1), clips[1], 0.2 * Deviations * 1 / 20);
        Assert.InRange(clips[^1], 4, 6.5);
    }

    [Fact]
    public async Task RunAsync_BitsOfClientsThatSendNone_CountAsNothing()
    {
        await using var rig = await OpenAsync(4, Spec(LittleNoise, adaptive: true));

        await rig.RunAsync();

        Assert.Equal(1, rig.Read(StoreNames.Clip(SimulatedFederation.RunId, 1), StoreJson.Default.ClipDocument).Next, 0.2 * Deviations * 0.5 / 4);
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
            await using var rig = await OpenAsync(64, Spec(1, rate: 0.5));
            await rig.RunAsync();
            return rig.Plan.Cohort.Digest;
        }
    }
}
