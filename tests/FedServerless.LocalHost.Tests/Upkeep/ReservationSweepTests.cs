using FedServerless.Activities.Privacy;
using FedServerless.Activities.State;
using FedServerless.Gateway.Upkeep;
using FedServerless.LocalHost.Tests.Gateway;
using FedServerless.LocalHost.Tests.Privacy;
using FedServerless.Privacy;
using FedServerless.Storage;
using FedServerless.Wire;

namespace FedServerless.LocalHost.Tests.Upkeep;

/// <summary>Reservations that a host left behind when it died. In doubt they stay: PITFALLS 13.</summary>
public sealed class ReservationSweepTests : IDisposable
{
    private readonly GatewayBench _bench = new();

    [Theory]
    [InlineData(null, false, false)]
    [InlineData(true, false, false)]
    [InlineData(false, false, true)]
    [InlineData(null, true, true)]
    [InlineData(true, true, false)]
    [InlineData(false, true, true)]
    public async Task RunAsync_ReservedRound_GoesBackOnlyWhenNothingCanFollow(bool? sealedForAggregation, bool runEnded, bool expected)
    {
        await ReservedAsync();
        if (sealedForAggregation is { } aggregate)
        {
            await _bench.Disk.PutAsync(StoreNames.Seal("r", 1), new SealDocument(aggregate, "deadline", []), StoreJson.Default.SealDocument, PutCondition.CreateOnce, CancellationToken.None);
        }

        if (runEnded)
        {
            await _bench.Disk.PutAsync(
                StoreNames.RunOutcome("r"), new RunOutcomeDocument(RunStates.Stopped, null, 1, 0, null), StoreJson.Default.RunOutcomeDocument, PutCondition.CreateOnce, CancellationToken.None);
        }

        Assert.Equal(expected ? 1 : 0, await SweepAsync());
        Assert.Equal(expected ? LedgerStatus.Released : LedgerStatus.Reserved, await StatusAsync());
        Assert.Equal(0, await SweepAsync());
    }

    [Fact]
    public async Task RunAsync_ChargedRoundOfAnEndedRun_StaysCharged()
    {
        await ReservedAsync(charge: true);
        await _bench.Disk.PutAsync(
            StoreNames.RunOutcome("r"), new RunOutcomeDocument(RunStates.Stopped, null, 1, 0, null), StoreJson.Default.RunOutcomeDocument, PutCondition.CreateOnce, CancellationToken.None);

        Assert.Equal(0, await SweepAsync());
        Assert.Equal(LedgerStatus.Charged, await StatusAsync());
    }

    public void Dispose() => _bench.Dispose();

    private async Task ReservedAsync(bool charge = false)
    {
        await _bench.BudgetAsync();
        Assert.Equal(201, (await _bench.CreateAsync(PrivacyBench.Private)).Status);
        await _bench.ReserveAsync("r", 1, charge);
    }

    private Task<int> SweepAsync() => _bench.Get<ReservationSweep>().RunAsync(CancellationToken.None);

    private async Task<LedgerStatus> StatusAsync() =>
        (await _bench.Get<PrivacyLedger>().ReadAsync("default", CancellationToken.None)).Find(new LedgerKey("r", 1))!.Status;
}
