using FedServerless.Activities.Metering;
using FedServerless.Activities.State;
using FedServerless.Capacity;
using FedServerless.Testing.Federation;
using FedServerless.Testing.Storage;
using FedServerless.Wire;

namespace FedServerless.Orchestrations.Tests.Metering;

public sealed class CostTests
{
    /// <summary>A currency unit a write, so that costs are counts.</summary>
    private static readonly PriceTable AWrite = new()
    {
        Name = "test", WritesPer10K = 1e4, ReadsPer10K = 0, ListsPer10K = 0, EgressPerGb = 0, GbSecond = 0, ExecutionsPerMillion = 0, EngineActionsPerMillion = 0,
    };

    [Fact]
    public async Task RunAsync_CostLimit_EndsTheRunBeforeTheRoundThatWouldPassIt()
    {
        var free = await RunAsync(null);
        var each = AWrite.CostOf(free.Accounts[0].Round + free.Accounts[1].Round) / 2;

        // What two rounds cost, and half of what the next is expected to.
        var limit = AWrite.CostOf(free.Accounts[2].Before) + Math.Floor(each / 2);
        var limited = await RunAsync(limit);

        Assert.Equal(RunStates.Completed, free.State);
        Assert.Equal(RunStates.CostLimitReached, limited.State);
        Assert.Equal(2, limited.Accounts.Count);
        Assert.Contains("USD", limited.Reason, StringComparison.Ordinal);
        Assert.Contains($"the limit is {limit} USD (test)", limited.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RunAsync_CostLimitThatIsEnough_ChangesNothing()
    {
        var free = await RunAsync(null);

        Assert.Equal(RunStates.Completed, (await RunAsync(10 * AWrite.CostOf(free.Accounts[^1].Before))).State);
    }

    [Fact]
    public async Task CloseRound_EachRound_CarriesWhatAllBeforeItUsed()
    {
        var run = await RunAsync(null);

        Assert.Equal(ResourceUsage.None, run.Accounts[0].Before);
        for (var i = 1; i < run.Accounts.Count; i++)
        {
            // At least what the round before had used when it closed: closing itself is counted afterwards.
            var atLeast = run.Accounts[i - 1].Before + run.Accounts[i - 1].Round;
            Assert.True(run.Accounts[i].Before.Writes >= atLeast.Writes);
            Assert.InRange(run.Accounts[i].Before.Writes - atLeast.Writes, 1, 10);
        }
    }

    [Fact]
    public async Task CloseRound_Devices_AreWorkedOutFromReceiptsAndTheModel()
    {
        var run = await RunAsync(null);

        // Four clients, a header and a part each; the model is fetched by each of them.
        var devices = run.Accounts[0].Devices;
        Assert.Equal((4 * 2, 4, 4 * run.ModelBytes), (devices.Writes, devices.Reads, devices.EgressBytes));
    }

    private static async Task<(string State, string? Reason, List<RoundAccount> Accounts, long ModelBytes)> RunAsync(double? limit)
    {
        var disk = new InMemoryObjectStore();
        await using var federation = new SimulatedFederation(disk, new SimulatedClients(disk, 4), usage: new UsageOptions { Prices = AWrite });
        await SimulatedFederation.CreateAsync(disk, SimulatedFederation.Spec(rounds: 4) with { CostLimit = limit });
        var result = await federation.RunAsync();
        var accounts = new List<RoundAccount>();
        for (var round = 1; round <= 4; round++)
        {
            var outcome = await disk.FindAsync(StoreNames.RoundOutcome(SimulatedFederation.RunId, round), StoreJson.Default.RoundOutcomeDocument, CancellationToken.None);
            accounts.AddRange(outcome is null ? [] : [outcome.Value.Account!]);
        }

        var plan = await disk.GetAsync(StoreNames.Plan(SimulatedFederation.RunId, 1), StoreJson.Default.RoundPlan, CancellationToken.None);
        return (result.State, result.Reason, accounts, plan.Value.Base.Bytes);
    }
}
