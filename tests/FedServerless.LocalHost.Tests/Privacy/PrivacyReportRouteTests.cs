using System.Text.Json;
using FedServerless.Activities.State;
using FedServerless.LocalHost.Tests.Gateway;
using FedServerless.Privacy;
using FedServerless.Storage;
using FedServerless.Wire;

namespace FedServerless.LocalHost.Tests.Privacy;

public sealed class PrivacyReportRouteTests : IDisposable
{
    private readonly GatewayBench _bench = new();

    [Fact]
    public async Task GetRunPrivacy_TwoOfThreeRoundsCharged_ShowsBothPricesNowAndWhenDone()
    {
        await _bench.BudgetAsync();
        await _bench.CreateAsync(PrivacyBench.Private);
        await _bench.ReserveAsync("r", 2, charge: true);

        var report = (await _bench.OperateAsync("getRunPrivacy", "runs/r/privacy?classic=true")).Read(WireJson.Default.PrivacyReport);

        Assert.Equal([PrivacyAdversary.ModelHolder, PrivacyAdversary.CohortObserver], report.Prices.Select(price => price.Adversary));
        Assert.Equal(2, report.Releases.Single().Charged);
        Assert.True(report.Prices[0].Epsilon < report.Prices[1].Epsilon);
        Assert.All(report.Prices, price => Assert.True(price.EpsilonWhenDone > price.Epsilon));
        Assert.All(report.Prices, price => Assert.True(price.TightUpper <= price.Epsilon && price.Epsilon <= price.ClassicEpsilon));
    }

    [Fact]
    public async Task GetPopulationPrivacy_Everything_NamesWhatAnEpsilonNeeds()
    {
        await _bench.BudgetAsync();
        await _bench.ReserveAsync("old", 2, charge: true);
        await _bench.ReserveAsync("other", 1);

        var answer = await _bench.OperateAsync("getPopulationPrivacy", $"{PrivacyBench.Population}/privacy");

        using var json = JsonDocument.Parse(answer.Text);
        Assert.Equal("client", json.RootElement.GetProperty("unit").GetString());
        Assert.Equal("addOrRemoveOne", json.RootElement.GetProperty("adjacency").GetString());
        Assert.Equal("poisson", json.RootElement.GetProperty("releases")[0].GetProperty("release").GetProperty("sampling").GetString());
        Assert.Equal(1000, json.RootElement.GetProperty("clients").GetInt64());
        Assert.Equal(2, json.RootElement.GetProperty("releases")[0].GetProperty("charged").GetInt64());
        Assert.Equal(1, json.RootElement.GetProperty("releases")[0].GetProperty("reserved").GetInt64());
    }

    // The chain alone does not show that its end was cut off while no host ran.
    [Fact]
    public async Task GetRunPrivacy_PublishedRoundThatIsNotCharged_SaysThatEntriesAreMissing()
    {
        await _bench.BudgetAsync();
        await _bench.CreateAsync(PrivacyBench.Private);
        await _bench.ReserveAsync("r", 1, charge: true);
        for (var round = 1; round <= 2; round++)
        {
            await _bench.Disk.PutAsync(
                StoreNames.RoundOutcome("r", round), new RoundOutcomeDocument(true, null, $"r-r{round}", 0, 0, 0, 0, 0, new Dictionary<string, double>(), round, 0),
                StoreJson.Default.RoundOutcomeDocument, PutCondition.CreateOnce, CancellationToken.None);
            var answer = await _bench.OperateAsync("getRunPrivacy", "runs/r/privacy");

            Assert.Equal(round == 1 ? 200 : 409, answer.Status);
        }
    }

    [Fact]
    public async Task GetRunPrivacy_RunWithoutPrivacy_IsNotFound()
    {
        await _bench.CreateAsync(PrivacyBench.Plain);

        Assert.Equal(404, (await _bench.OperateAsync("getRunPrivacy", "runs/r/privacy")).Status);
    }

    [Fact]
    public async Task PlanPrivacy_SpecOfARun_PricesAndStoresNothing()
    {
        var answer = await _bench.OperateAsync("planPrivacy", "privacy/plan", new CreateRunRequest("r", PrivacyBench.Private), WireJson.Default.CreateRunRequest);

        var report = answer.Read(WireJson.Default.PrivacyReport);
        Assert.Equal(3, report.Releases.Single().Reserved);
        Assert.Equal(1e-4, report.Delta);
        Assert.DoesNotContain(_bench.Disk.Names, name => !name.StartsWith("audit/", StringComparison.Ordinal));
    }

    [Fact]
    public async Task GetLedger_After_PagesThroughTheEntries()
    {
        await _bench.BudgetAsync();
        await _bench.ReserveAsync("old", 2);

        var page = (await _bench.OperateAsync("getLedger", $"{PrivacyBench.Population}/ledger?after=1")).Read(WireJson.Default.LedgerPage);

        Assert.Equal([2L, 3L], page.Entries.Select(entry => entry.Number));
        Assert.Equal((3L, 2), (page.Head, page.Entries[1].Round));
        Assert.Equal(400, (await _bench.OperateAsync("getLedger", $"{PrivacyBench.Population}/ledger?after=x")).Status);
    }

    [Fact]
    public async Task NoteInLedger_Twice_IsOneEntryThatReportsShow()
    {
        await _bench.BudgetAsync();
        var note = new LedgerNoteRequest("erasure request 17: client alice");

        var first = await _bench.OperateAsync("noteInLedger", $"{PrivacyBench.Population}/ledger/notes", note, WireJson.Default.LedgerNoteRequest);
        var second = await _bench.OperateAsync("noteInLedger", $"{PrivacyBench.Population}/ledger/notes", note, WireJson.Default.LedgerNoteRequest);

        Assert.Equal((2L, 2L), (first.Read(WireJson.Default.LedgerNoteView).Number, second.Read(WireJson.Default.LedgerNoteView).Number));
        Assert.Equal(400, (await _bench.OperateAsync("noteInLedger", $"{PrivacyBench.Population}/ledger/notes", new LedgerNoteRequest(""), WireJson.Default.LedgerNoteRequest)).Status);
    }

    public void Dispose() => _bench.Dispose();
}
