using FedServerless.Privacy;
using static FedServerless.Orchestrations.Tests.Privacy.LedgerRig;

namespace FedServerless.Orchestrations.Tests.Privacy;

public sealed class PrivacyLedgerTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public async Task IsGuardedAsync_BudgetSet_IsFromThenOn()
    {
        var rig = new LedgerRig();
        Assert.False(await rig.Host().IsGuardedAsync(Population, None));

        await rig.WithBudgetAsync();

        Assert.True(await rig.Host().IsGuardedAsync(Population, None));
        Assert.False(await rig.Host().IsGuardedAsync("another", None));
    }

    [Fact]
    public async Task IsGuardedAsync_FirstEntryTakenAway_StillIs()
    {
        var rig = await new LedgerRig().WithBudgetAsync();
        await rig.Host().ReserveAsync(Population, "run", 1, Round, None);
        await rig.Disk.DeleteAsync(Activities.State.StoreNames.LedgerEntry(Population, 1), None);

        Assert.True(await rig.Host().IsGuardedAsync(Population, None));
    }

    [Fact]
    public async Task ReserveAsync_NoBudget_IsRefusedWithTheWayToSetOne()
    {
        var answer = await new LedgerRig().Host().ReserveAsync(Population, "run", 1, Round, None);

        Assert.False(answer.Admitted);
        Assert.Contains("PUT /api/v1/populations/default/budget", answer.Refusal, StringComparison.Ordinal);
    }

    // The number of rounds is that of the filter alone, worked out here without a ledger.
    [Theory]
    [InlineData(PrivacyAdversary.ModelHolder, FilterAdaptivity.Adaptive)]
    [InlineData(PrivacyAdversary.CohortObserver, FilterAdaptivity.Adaptive)]
    [InlineData(PrivacyAdversary.ModelHolder, FilterAdaptivity.ScheduleFixed)]
    public async Task ReserveAsync_RoundAfterRound_AdmitsWhatTheFilterAdmits(PrivacyAdversary adversary, FilterAdaptivity adaptivity)
    {
        var rig = await new LedgerRig().WithBudgetAsync(Budget with { Adversary = adversary, Adaptivity = adaptivity });
        var budget = (await rig.StateAsync()).Budget!;
        var price = RenyiCurve.Of(Round.Against(adversary), budget.Filter().Orders);
        var expected = Enumerable.Range(1, 10_000).TakeWhile(n => budget.Filter().Admits(RenyiCurve.Zero(budget.Filter().Orders), RenyiCurve.Zero(budget.Filter().Orders).Plus(price, n))).Count();
        var host = rig.Host();
        var admitted = 0;
        while ((await host.ReserveAsync(Population, "run", admitted + 1, Round, None)).Admitted)
        {
            admitted++;
        }

        Assert.Equal(expected, admitted);
        Assert.True(admitted >= 1);
    }

    [Fact]
    public async Task ReserveAsync_TheSameAgain_IsAdmittedAndWritesNothing()
    {
        var rig = await new LedgerRig().WithBudgetAsync();
        await rig.Host().ReserveAsync(Population, "run", 1, Round, None);

        Assert.True((await rig.Host().ReserveAsync(Population, "run", 1, Round, None)).Admitted);
        Assert.Equal(2, (await rig.StateAsync()).Head);
    }

    [Fact]
    public async Task ReserveAsync_AnotherReleaseUnderItsKey_Throws()
    {
        var rig = await new LedgerRig().WithBudgetAsync();
        await rig.Host().ReserveAsync(Population, "run", 1, Round, None);

        var thrown = await Assert.ThrowsAsync<InvalidOperationException>(() => rig.Host().ReserveAsync(Population, "run", 1, Round with { NoiseMultiplier = 3 }, None));
        Assert.Contains("Round 1 of run 'run'", thrown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ReserveAsync_ReleaseThatCannotBePriced_ThrowsAndWritesNothing()
    {
        var rig = await new LedgerRig().WithBudgetAsync();

        await Assert.ThrowsAnyAsync<ArgumentException>(() => rig.Host().ReserveAsync(Population, "run", 1, Round with { NoiseMultiplier = 0 }, None));
        await Assert.ThrowsAnyAsync<ArgumentException>(() => rig.Host().ReserveAsync(Population, "Not a run", 1, Round, None));
        await Assert.ThrowsAnyAsync<ArgumentException>(() => rig.Host().ReserveAsync(Population, "run", 0, Round, None));
        Assert.Equal(1, (await rig.StateAsync()).Head);
    }

    [Fact]
    public async Task ChargeAsync_Twice_IsOneEntryAndItsNumber()
    {
        var rig = await new LedgerRig().WithBudgetAsync();
        await rig.Host().ReserveAsync(Population, "run", 1, Round, None);

        Assert.Equal(3, await rig.Host().ChargeAsync(Population, "run", 1, None));
        Assert.Equal(3, await rig.Host().ChargeAsync(Population, "run", 1, None));
        Assert.True(await rig.Host().IsChargedAsync(Population, "run", 1, None));
        Assert.Equal(3, (await rig.StateAsync()).Head);
    }

    [Fact]
    public async Task ChargeAsync_NeverReserved_Throws()
    {
        var rig = await new LedgerRig().WithBudgetAsync();

        await Assert.ThrowsAsync<InvalidOperationException>(() => rig.Host().ChargeAsync(Population, "run", 1, None));
    }

    [Fact]
    public async Task ReleaseAsync_Reserved_GivesItBackForOthersAndForGood()
    {
        var rig = await new LedgerRig().WithBudgetAsync();
        await rig.Host().ReserveAsync(Population, "run", 1, Round, None);

        Assert.True(await rig.Host().ReleaseAsync(Population, "run", 1, None));
        Assert.True(await rig.Host().ReleaseAsync(Population, "run", 1, None));
        Assert.Empty((await rig.StateAsync()).Counts);
        Assert.False((await rig.Host().ReserveAsync(Population, "run", 1, Round, None)).Admitted);
        await Assert.ThrowsAsync<InvalidOperationException>(() => rig.Host().ChargeAsync(Population, "run", 1, None));
    }

    [Fact]
    public async Task ReleaseAsync_Charged_StaysCharged()
    {
        var rig = await new LedgerRig().WithBudgetAsync();
        await rig.Host().ReserveAsync(Population, "run", 1, Round, None);
        await rig.Host().ChargeAsync(Population, "run", 1, None);

        Assert.False(await rig.Host().ReleaseAsync(Population, "run", 1, None));
        Assert.True(await rig.Host().IsChargedAsync(Population, "run", 1, None));
    }

    // PITFALLS 13: the ledger survives whoever wrote it.
    [Fact]
    public async Task NamesRunAsync_AnotherProcess_KnowsEveryRunThatWasReserved()
    {
        var rig = await new LedgerRig().WithBudgetAsync();
        await rig.Host().ReserveAsync(Population, "run", 1, Round, None);
        await rig.Host().ReleaseAsync(Population, "run", 1, None);

        Assert.True(await rig.Host().NamesRunAsync(Population, "run", None));
        Assert.False(await rig.Host().NamesRunAsync(Population, "other", None));
    }
}
