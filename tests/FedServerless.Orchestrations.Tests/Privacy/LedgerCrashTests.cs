using FedServerless.Activities.Privacy;
using FedServerless.Activities.State;
using FedServerless.Privacy;
using FedServerless.Storage;
using FedServerless.Testing.Storage;
using static FedServerless.Orchestrations.Tests.Privacy.LedgerRig;

namespace FedServerless.Orchestrations.Tests.Privacy;

/// <summary>
/// A host that dies, fails or repeats itself at any write between budget, reservation, charge, noise and release. Figure 5 of the issue and PITFALLS 13: what was
/// noised is charged, always; and everything is charged once.
/// </summary>
public sealed class LedgerCrashTests
{
    private const string Noise = "noise/";

    private static readonly CancellationToken None = CancellationToken.None;

    [Theory]
    [InlineData(StoreFault.CrashBefore)]
    [InlineData(StoreFault.CrashAfter)]
    [InlineData(StoreFault.FailBefore)]
    [InlineData(StoreFault.FailAfter)]
    [InlineData(StoreFault.Twice)]
    public async Task Rounds_HurtAtAnyWrite_AreChargedOnceAndBeforeTheirNoise(StoreFault fault)
    {
        var hurt = 0;
        for (var write = 1; ; write++)
        {
            var rig = new LedgerRig();
            var store = FaultInjectingStore.At(rig.Disk, write, fault);
            await Record.ExceptionAsync(() => LiveAsync(rig.Host(store), store));
            await AssertNothingUnchargedAsync(rig);
            var reached = store.WriteCount >= write;

            // Another process does all of it again, and once more.
            await LiveAsync(rig.Host(), rig.Disk);
            await LiveAsync(rig.Host(), rig.Disk);
            await AssertNothingUnchargedAsync(rig);
            var state = await rig.StateAsync();
            Assert.Equal((1L, 0L), (state.Counts.Single().Value.Charged, state.Counts.Single().Value.Reserved));
            Assert.Equal([LedgerStatus.Charged, LedgerStatus.Released], state.Keys.OrderBy(key => key.Key.Round).Select(key => key.Value.Status));
            Assert.Equal(5, state.Head);
            if (!reached)
            {
                break;
            }

            hurt = write;
        }

        Assert.Equal(6, hurt);
    }

    [Fact]
    public async Task Rounds_EveryWriteFailsHalfTheTime_AreChargedOnceAndBeforeTheirNoise()
    {
        for (var seed = 0; seed < 50; seed++)
        {
            var (rig, random) = (new LedgerRig(), new Random(seed));
            var faults = new[] { StoreFault.CrashBefore, StoreFault.CrashAfter, StoreFault.FailBefore, StoreFault.FailAfter, StoreFault.Twice, StoreFault.None, StoreFault.None };
            for (var life = 0; life < 40; life++)
            {
                var store = new FaultInjectingStore(rig.Disk, _ => faults[random.Next(faults.Length)]);
                if (await Record.ExceptionAsync(() => LiveAsync(rig.Host(store), store)) is null)
                {
                    break;
                }

                await AssertNothingUnchargedAsync(rig);
            }

            await LiveAsync(rig.Host(), rig.Disk);
            await AssertNothingUnchargedAsync(rig);
            Assert.Equal(5, (await rig.StateAsync()).Head);
        }
    }

    // What a round does: the first is charged, then noised, the second given back.
    private static async Task LiveAsync(PrivacyLedger host, IObjectStore store)
    {
        await host.SetBudgetAsync(Population, Budget, "officer", None);
        Assert.True((await host.ReserveAsync(Population, "run", 1, Round, None)).Admitted);
        await host.ChargeAsync(Population, "run", 1, None);
        Assert.True(await host.IsChargedAsync(Population, "run", 1, None));
        await store.PutBytesAsync($"{Noise}1", "noise"u8.ToArray(), PutCondition.CreateOnce, None);
        await host.ReserveAsync(Population, "run", 2, Round, None);
        Assert.True(await host.ReleaseAsync(Population, "run", 2, None));
    }

    private static async Task AssertNothingUnchargedAsync(LedgerRig rig)
    {
        var state = await rig.StateAsync();
        if (rig.Disk.Names.Contains($"{Noise}1"))
        {
            Assert.Equal(LedgerStatus.Charged, state.Find(new LedgerKey("run", 1))!.Status);
        }
    }
}
