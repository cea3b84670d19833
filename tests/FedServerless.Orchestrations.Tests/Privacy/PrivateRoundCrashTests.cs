using FedServerless.Activities.State;
using FedServerless.Storage;
using FedServerless.Testing.Federation;
using FedServerless.Testing.Storage;
using FedServerless.Wire;
using static FedServerless.Orchestrations.Tests.Privacy.PrivateRig;

namespace FedServerless.Orchestrations.Tests.Privacy;

/// <summary>Private rounds whose activities run twice, whose host dies, whose ledger is broken: one draw, one charge, in that order.</summary>
public sealed class PrivateRoundCrashTests
{
    [Theory] // PITFALLS 9, 40: a second draw on the same sums would be a second release.
    [InlineData(Repeat.InSequence)]
    [InlineData(Repeat.AtOnce)]
    public async Task RunAsync_EveryActivityTwice_DrawsChargesAndPublishesOnce(Repeat repeat)
    {
        await using var rig = await OpenAsync(3, Spec(1, adaptive: true) with { Rounds = 3 }, repeat: repeat);

        var result = await rig.RunAsync();

        Assert.Equal(RunStates.Completed, result.State);
        for (var round = 1; round <= 3; round++)
        {
            // One draw, then empty; the next clip once; every weight from that draw.
            rig.AssertPublishedFromOneDraw(round);
            Assert.Single(rig.Kept.Versions(StoreNames.Clip(SimulatedFederation.RunId, round)));
        }

        Assert.Equal(3, await rig.ChargesAsync());
    }

    [Fact] // Figure 5: whatever write it dies at, what was noised was charged before, once, and the round ends.
    public async Task RunAsync_HostDiesAtAnyWrite_NeverNoisesUncharged()
    {
        FaultInjectingStore? counting = null;
        await using (var whole = await OpenAsync(2, Spec(1, adaptive: true), wrap: inner => counting = new FaultInjectingStore(inner)))
        {
            await whole.RunAsync();
        }

        Assert.InRange(counting!.WriteCount, 20, 500);
        for (var at = 1; at <= counting.WriteCount; at++)
        {
            foreach (var fault in new[] { StoreFault.CrashBefore, StoreFault.CrashAfter })
            {
                await DieOnceAsync(at, fault);
            }
        }
    }

    [Fact]
    public async Task RunAsync_LedgerBroken_EndsFailedAndSaysWhere()
    {
        await using var rig = await OpenAsync(2, Spec(1) with { Rounds = 3 });
        await rig.Disk.PutBytesAsync(StoreNames.LedgerEntry(Population, 1), "{}"u8.ToArray(), PutCondition.Overwrite, CancellationToken.None);

        var result = await rig.RunAsync();

        Assert.Equal(RunStates.Failed, result.State);
        Assert.Contains("1", result.Reason, StringComparison.Ordinal);
        Assert.Null(rig.Disk.Peek(StoreNames.Plan(SimulatedFederation.RunId, 1)));
    }

    private static async Task DieOnceAsync(int at, StoreFault fault)
    {
        await using var rig = await OpenAsync(2, Spec(1, adaptive: true));
        var mortal = FaultInjectingStore.At(rig.Kept, at, fault);
        await using (var dying = new SimulatedFederation(rig.Disk, rig.Clients, mortal))
        {
            await dying.RunUntilDeadOrDoneAsync(mortal);
        }

        var noised = rig.Kept.Names.Where(name => name.Contains("/noisy/", StringComparison.Ordinal) || name.EndsWith("/clip.json", StringComparison.Ordinal));
        if (noised.Any())
        {
            Assert.True(await rig.IsChargedAsync(), $"Noised uncharged: {fault} at write {at}.");
        }

        var result = await rig.RunAsync();

        Assert.Equal(RunStates.Completed, result.State);
        rig.AssertPublishedFromOneDraw();
        Assert.Equal(1, await rig.ChargesAsync());
    }
}
