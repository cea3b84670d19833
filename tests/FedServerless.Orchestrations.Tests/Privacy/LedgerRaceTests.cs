using FedServerless.Privacy;
using static FedServerless.Orchestrations.Tests.Privacy.LedgerRig;

namespace FedServerless.Orchestrations.Tests.Privacy;

/// <summary>Hosts that want the same thing at once. Every seed is one order of all their calls to the store. Figure 5 of the issue.</summary>
public sealed class LedgerRaceTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    // The rig's budget with what is left for exactly one more round.
    private static readonly NoisyRelease Costly = Round with { NoiseMultiplier = 1.2 };

    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task ReserveAsync_ThreeHostsForTheLastOfTheBudget_AdmitsExactlyOne(int seed)
    {
        var (rig, fit) = await NearlySpentAsync();
        var store = new TurnStore(rig.Disk, seed);
        var answers = new[] { "left", "right", "third" }.Select(run => rig.Host(store).ReserveAsync(Population, run, 1, Costly, None)).ToList();
        store.Drain();

        Assert.All(answers, answer => Assert.True(answer.IsCompleted));
        Assert.Equal(1, (await Task.WhenAll(answers)).Count(answer => answer.Admitted));
        Assert.Equal(fit, (await rig.StateAsync()).Counts.Single().Value.Reserved);
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task EveryCall_TwiceAtOnceOnTwoHosts_IsOneEntryEach(int seed)
    {
        var rig = await new LedgerRig().WithBudgetAsync();
        var store = new TurnStore(rig.Disk, seed);
        var hosts = new[] { rig.Host(store), rig.Host(store), rig.Host(store) };
        var reserved = hosts.Select(host => host.ReserveAsync(Population, "run", 1, Round, None)).ToList();
        store.Drain();
        var charged = hosts.Select(host => host.ChargeAsync(Population, "run", 1, None)).ToList();
        store.Drain();
        var noted = hosts.Select(host => host.NoteAsync(Population, "a note", null, "officer", None)).ToList();
        store.Drain();

        Assert.All(await Task.WhenAll(reserved), answer => Assert.True(answer.Admitted));
        Assert.All(await Task.WhenAll(charged), number => Assert.Equal(3, number));
        Assert.All(await Task.WhenAll(noted), number => Assert.Equal(4, number));
        Assert.Equal(4, (await rig.StateAsync()).Head);
    }

    // What the noise waits for: a charge that returned is there for good, and a release that returned true means that no charge ever returns.
    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task ChargeAndRelease_AtOnce_OneOfThemWins(int seed)
    {
        var rig = await new LedgerRig().WithBudgetAsync();
        await rig.Host().ReserveAsync(Population, "run", 1, Round, None);
        var store = new TurnStore(rig.Disk, seed);
        var charge = rig.Host(store).ChargeAsync(Population, "run", 1, None);
        var release = rig.Host(store).ReleaseAsync(Population, "run", 1, None);
        store.Drain();

        Assert.Equal(charge.IsCompletedSuccessfully, !await release);
        Assert.Equal(charge.IsCompletedSuccessfully ? LedgerStatus.Charged : LedgerStatus.Released, (await rig.StateAsync()).Find(new LedgerKey("run", 1))!.Status);
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task SetBudgetAsync_FirstBudgetsAtOnce_BothStandInOneChain(int seed)
    {
        var rig = new LedgerRig();
        var store = new TurnStore(rig.Disk, seed);
        var small = rig.Host(store).SetBudgetAsync(Population, Budget with { Epsilon = 1 }, "left", None);
        var large = rig.Host(store).SetBudgetAsync(Population, Budget, "right", None);
        var reserved = rig.Host(store).ReserveAsync(Population, "run", 1, Round, None);
        store.Drain();

        var state = await rig.StateAsync();
        Assert.Null((await small).Refusal ?? (await large).Refusal);
        Assert.Equal(2, state.Budgets.Count);
        Assert.Equal(2 + ((await reserved).Admitted ? 1 : 0), state.Head);
    }

    public static TheoryData<int> Seeds() => [.. Enumerable.Range(1, 40)];

    private static async Task<(LedgerRig Rig, int Fit)> NearlySpentAsync()
    {
        var rig = await new LedgerRig().WithBudgetAsync();
        var (host, fit) = (rig.Host(), 0);
        while ((await host.TryAsync(Population, Costly, 2, None)).Admitted)
        {
            Assert.True((await host.ReserveAsync(Population, "before", ++fit, Costly, None)).Admitted);
        }

        Assert.True((await host.TryAsync(Population, Costly, 1, None)).Admitted);
        return (rig, fit + 1);
    }
}
