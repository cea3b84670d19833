using FedServerless.Activities.Privacy;
using FedServerless.Privacy;
using static FedServerless.Orchestrations.Tests.Privacy.LedgerRig;

namespace FedServerless.Orchestrations.Tests.Privacy;

/// <summary>
/// Random calls of several hosts in random interleavings, against a model that is a dictionary: all rounds cost the same, so a budget is a number of them, found
/// here with integer orders and big sums of binomials and not with the filter.
/// </summary>
public sealed class LedgerPropertyTests
{
    private const int Hosts = 3;
    private const int Keys = 12;
    private const int Calls = 60;

    private static readonly CancellationToken None = CancellationToken.None;
    private static readonly NoisyRelease Costly = Round with { NoiseMultiplier = 1.2 };
    private static readonly BudgetSetting Tight = Budget with { Order = 8 };

    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task Calls_AnyInterleaving_AreThoseOfTheModelInTheOrderOfTheEntries(int seed)
    {
        var rig = await new LedgerRig().WithBudgetAsync(Tight);
        var store = new TurnStore(rig.Disk, seed);
        var random = new Random(seed);
        var hosts = Enumerable.Range(0, Hosts).Select(_ => rig.Host(store)).ToArray();
        var calls = new List<Call>();
        for (var i = 0; i < Calls; i++)
        {
            calls.Add(Start(hosts[random.Next(Hosts)], (Kind)random.Next(3), random.Next(1, Keys + 1)));
            if (random.Next(4) == 0)
            {
                store.Drain();
            }
        }

        store.Drain();

        Assert.All(calls, call => Assert.True(call.Task.IsCompleted));
        var entries = await rig.Host().EntriesAsync(Population, 0, (await rig.StateAsync()).Head, None);
        var statuses = Replay(entries);
        foreach (var call in calls)
        {
            await CheckAsync(call, statuses.TryGetValue(call.Key, out var status) ? status : null);
        }
    }

    public static TheoryData<int> Seeds() => [.. Enumerable.Range(100, 60)];

    // The model: at no entry do more rounds count than fit.
    private static Dictionary<int, LedgerStatus> Replay(IReadOnlyList<LedgerEntry> entries)
    {
        var fit = Fit();
        var statuses = new Dictionary<int, LedgerStatus>();
        foreach (var entry in entries.Skip(1))
        {
            var (round, before) = (entry.Round!.Value, statuses.TryGetValue(entry.Round!.Value, out var there) ? there : default(LedgerStatus?));
            statuses[round] = (entry.Kind, before) switch
            {
                (LedgerEntryKinds.Reserve, null) => LedgerStatus.Reserved,
                (LedgerEntryKinds.Charge, LedgerStatus.Reserved) => LedgerStatus.Charged,
                (LedgerEntryKinds.Release, LedgerStatus.Reserved) => LedgerStatus.Released,
                _ => throw new InvalidOperationException($"{entry.Kind} of a round that is {before}"),
            };
            Assert.InRange(statuses.Values.Count(status => status != LedgerStatus.Released), 0, fit);
        }

        return statuses;
    }

    private static async Task CheckAsync(Call call, LedgerStatus? status)
    {
        switch (call.Kind)
        {
            case Kind.Reserve when (await (Task<ReserveAnswer>)call.Task).Admitted:
                Assert.NotNull(status);
                break;
            case Kind.Charge when call.Task.IsCompletedSuccessfully:
                Assert.Equal(LedgerStatus.Charged, status);
                break;
            case Kind.Charge:
                Assert.IsType<InvalidOperationException>(call.Task.Exception!.InnerException);
                break;
            case Kind.Release when !await (Task<bool>)call.Task:
                Assert.Equal(LedgerStatus.Charged, status);
                break;
        }
    }

    private static Call Start(PrivacyLedger host, Kind kind, int key) => new(kind, key, kind switch
    {
        Kind.Reserve => host.ReserveAsync(Population, "run", key, Costly, None),
        Kind.Charge => host.ChargeAsync(Population, "run", key, None),
        _ => host.ReleaseAsync(Population, "run", key, None),
    });

    // D(8) of the sampled Gaussian by its binomial sum (Mironov, Talwar and Zhang 2019), and the room that epsilon and delta leave at order 8 (Balle et al. 2020).
    private static int Fit()
    {
        const int Order = 8;
        var (sum, choose) = (0.0, 1.0);
        for (var k = 0; k <= Order; k++)
        {
            sum += choose * Math.Pow(0.9, Order - k) * Math.Pow(0.1, k) * Math.Exp(((k * k) - k) / (2 * 1.2 * 1.2));
            choose = choose * (Order - k) / (k + 1);
        }

        var room = Tight.Epsilon - Math.Log(7.0 / 8) + ((Math.Log(Tight.Delta) + Math.Log(8)) / 7);
        var fit = (int)Math.Floor(room * 7 / Math.Log(sum));
        Assert.InRange(fit, 2, Keys - 2);
        return fit;
    }

    private enum Kind
    {
        Reserve,
        Charge,
        Release,
    }

    private sealed record Call(Kind Kind, int Key, Task Task);
}
