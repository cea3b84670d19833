using System.Text.Json;
using FedServerless.Cli.Privacy.Accounts;
using FedServerless.Cli.Tests.Fakes;
using FedServerless.Privacy;
using FedServerless.Wire;

namespace FedServerless.Cli.Tests.Privacy;

/// <summary><c>fed privacy budget | report | ledger | note</c>: what they ask of the server, and what they make of its answers.</summary>
public sealed class PrivacyAccountsTests
{
    private static readonly PrivacyBudget Budget = new()
    {
        Epsilon = 3, Delta = 5e-4, Adversary = PrivacyAdversary.ModelHolder, Adaptivity = FilterAdaptivity.Adaptive, Order = 4.5, Clients = 200,
    };

    private static readonly BudgetStanding Standing = new(Budget, 1, "officer", DateTimeOffset.UnixEpoch, "first year", 0.25, 0.5, 1.5);

    private static readonly Digest Head = Digest.Of("entry"u8);

    [Fact]
    public async Task BudgetSet_EveryOption_IsInTheRequest()
    {
        var server = new FakeServer().On("PUT populations/plant/budget", new BudgetView("plant", Standing, 1, ["Delta is large."]), WireJson.Default.BudgetView);
        using var shell = new TestShell(server);

        Assert.Equal(0, await shell.RunAsync(
            "privacy", "budget", "set", "plant", "--epsilon", "3", "--clients", "200", "--delta", "0.0005", "--against", "cohortObserver", "--fixed-schedule",
            "--planned-rate", "0.25", "--planned-noise", "2", "--reason", "first year", "--acknowledge-unaccounted"));

        Assert.True(SetBudgetRequest.TryParse(System.Text.Encoding.UTF8.GetBytes(Assert.Single(server.Requests).Body), out var sent, out _));
        Assert.Equal(
            new SetBudgetRequest
            {
                Epsilon = 3, Clients = 200, Delta = 5e-4, Adversary = "cohortObserver", Adaptivity = "scheduleFixed", Reason = "first year", AcknowledgeUnaccounted = true,
                Planned = new PlannedRounds { SamplingRate = 0.25, NoiseMultiplier = 2 },
            },
            sent);
        Assert.Contains("Budget of plant: epsilon 3 at delta 5e-4, 200 clients, against holders of released models.", shell.Output, StringComparison.Ordinal);
        Assert.Contains("left 50.0", shell.Output, StringComparison.Ordinal);
        Assert.Contains("Note: Delta is large.", shell.Output, StringComparison.Ordinal);
    }

    // What it is for: with the order of these rounds the budget admits every one of a run at its level, and not one more.
    [Fact]
    public async Task BudgetSet_PlannedRounds_DeclareTheOrderThatHoldsThemAll()
    {
        var server = new FakeServer().On("PUT populations/default/budget", new BudgetView("default", Standing, 1, []), WireJson.Default.BudgetView);
        using var shell = new TestShell(server);

        Assert.Equal(0, await shell.RunAsync("privacy", "budget", "set", "--epsilon", "3", "--clients", "200", "--planned-rate", "0.25", "--planned-rounds", "40"));

        Assert.True(SetBudgetRequest.TryParse(System.Text.Encoding.UTF8.GetBytes(Assert.Single(server.Requests).Body), out var sent, out _));
        var spec = new RunSpec
        {
            Model = "m", Rounds = 40, Privacy = new PrivacySpec { Level = PrivacyLevels.Balanced, Clients = 200 },
            Selection = new SelectionSpec { Kind = Selections.Poisson, Rate = 0.25, QuarantineAfter = 0 },
        };
        var release = PrivacyTerms.Of(spec).Release(UpdateGrid.BitsFor(650)).Against(PrivacyAdversary.ModelHolder);
        Assert.Equal(PrivacyTerms.Of(spec).NoiseMultiplier, sent!.Planned!.NoiseMultiplier);
        var order = DeclaredOrder.BestFor(new PrivacySpend(3, 5e-4), new NoisyRelease(ClientSampling.Poisson, 0.25, sent.Planned.NoiseMultiplier).Against(PrivacyAdversary.ModelHolder))!.Value;
        var filter = (Budget with { Order = order }).Filter();
        Assert.True(filter.Admits(RenyiCurve.Of(new RepeatedEvent(release, 39), filter.Orders), release));
        Assert.False(filter.Admits(RenyiCurve.Of(new RepeatedEvent(release, 40), filter.Orders), release));
    }

    [Fact]
    public async Task BudgetSet_LittleSaid_LeavesTheRestToTheServer()
    {
        var server = new FakeServer().On("PUT populations/default/budget", new BudgetView("default", Standing, 1, []), WireJson.Default.BudgetView);
        using var shell = new TestShell(server);

        Assert.Equal(0, await shell.RunAsync("privacy", "budget", "set", "--epsilon", "3", "--clients", "200", "--json"));

        Assert.True(SetBudgetRequest.TryParse(System.Text.Encoding.UTF8.GetBytes(Assert.Single(server.Requests).Body), out var sent, out _));
        Assert.Equal(new SetBudgetRequest { Epsilon = 3, Clients = 200 }, sent);
        Assert.Equal(Standing, JsonSerializer.Deserialize(shell.Output, WireJson.Default.BudgetView)!.Standing);
    }

    [Theory]
    [InlineData("Planned rounds are described by --planned-rate and one of", "--epsilon", "3", "--clients", "200", "--planned-rate", "0.5")]
    [InlineData("Planned rounds are described by --planned-rate and one of", "--epsilon", "3", "--clients", "200", "--planned-rounds", "5")]
    [InlineData("Planned rounds are described by --planned-rate and one of", "--epsilon", "3", "--clients", "200", "--planned-rate", "1", "--planned-rounds", "5", "--planned-noise", "2")]
    [InlineData("These rounds cannot be planned", "--epsilon", "3", "--clients", "200", "--planned-rate", "2", "--planned-rounds", "5")]
    [InlineData("These rounds cannot be planned", "--epsilon", "3", "--clients", "200", "--planned-rate", "1", "--planned-rounds", "0")]
    [InlineData("--epsilon is NaN; expected a finite number.", "--epsilon", "NaN", "--clients", "200")]
    [InlineData("--delta is ", "--epsilon", "3", "--clients", "200", "--delta", "Infinity")]
    [InlineData("--planned-rate is NaN; expected a finite number.", "--epsilon", "3", "--clients", "200", "--planned-rate", "NaN", "--planned-noise", "1")]
    [InlineData("--against is 'everybody'; expected modelHolder or cohortObserver.", "--epsilon", "3", "--clients", "200", "--against", "everybody")]
    [InlineData("--epsilon", "--clients", "200")]
    [InlineData("--clients", "--epsilon", "3")]
    [InlineData("--reason is empty", "--epsilon", "3", "--clients", "200", "--reason", "")]
    public async Task BudgetSet_WrongOption_IsRefusedBeforeTheServerIsAsked(string message, params string[] options)
    {
        var server = new FakeServer();
        using var shell = new TestShell(server);

        Assert.Equal(2, await shell.RunAsync(["privacy", "budget", "set", .. options]));

        Assert.Contains(message, shell.Error, StringComparison.Ordinal);
        Assert.Empty(server.Requests);
    }

    [Fact]
    public async Task BudgetSet_ServerRefuses_SaysWhy()
    {
        var problem = new ProblemDetails("/problems/unaccounted-runs", "Runs trained here without privacy", 409, "old-1: no budget can take back what they released.");
        using var shell = new TestShell(new FakeServer().Refuse("PUT populations/default/budget", problem));

        Assert.Equal(1, await shell.RunAsync("privacy", "budget", "set", "--epsilon", "3", "--clients", "200"));

        Assert.Contains("no budget can take back what they released", shell.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task BudgetShow_Standing_IsShown()
    {
        using var shell = new TestShell(new FakeServer().On("GET populations/default/budget", new BudgetView("default", Standing, 3, []), WireJson.Default.BudgetView));

        Assert.Equal(0, await shell.RunAsync("privacy", "budget", "show"));

        Assert.Contains("Runs may depend on released models: order 4.5; set by officer on 1970-01-01: first year.", shell.Output, StringComparison.Ordinal);
        Assert.Contains("charged 25.0 % of it, with reservations 50.0 %, left 50.0 %", shell.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Report_Run_HasBothEpsilonsTheLedgerAndTheLeaks()
    {
        using var shell = new TestShell(Server(Report() with { Subject = "run digits-1" }));

        Assert.Equal(0, await shell.RunAsync("privacy", "report", "digits-1"));

        Assert.Contains("Privacy of run digits-1: unit client, adjacency add or remove one, 200 clients, delta 5e-4.", shell.Output, StringComparison.Ordinal);
        Assert.Matches(@"holders of released models\s+0\.640\s+0\.630\s+0\.750\s+2\.600\s+amplified by sampling", shell.Output);
        Assert.Matches(@"observers of cohorts\s+2\.400\s+2\.390\s+2\.500\s+–\s+no amplification", shell.Output);
        Assert.Contains("3 charged and 1 reserved rounds: poisson sample, q = 0.25, noise 2.0000.", shell.Output, StringComparison.Ordinal);
        Assert.Contains($"Ledger of plant: 5 entries, every one checked against the hash in the next; the last is {Head}.", shell.Output, StringComparison.Ordinal);
        Assert.Contains("server: The server sees every update before the noise", shell.Output, StringComparison.Ordinal);
        Assert.Contains("Warning: Delta is above 1/(10N).", shell.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Report_Json_IsTheReportWithTheLedger()
    {
        using var shell = new TestShell(Server(Report()));

        Assert.Equal(0, await shell.RunAsync("privacy", "report", "--population", "plant", "--json"));

        var account = JsonSerializer.Deserialize(shell.Output, PrivacyAccountJson.Default.PrivacyAccount)!;
        Assert.Equal(("plant", 5, (Digest?)Head), (account.Population, account.LedgerEntries, account.LedgerHead));
        Assert.Equal(Report().Prices, account.Report.Prices);
        Assert.Equal(Standing, account.Report.Budget);
    }

    // A broken chain is the server's to find; the report stops there and says where.
    [Fact]
    public async Task Report_LedgerBroken_StopsAndSaysWhere()
    {
        var problem = new ProblemDetails("/problems/ledger-broken", "The ledger is broken", 409, "Entry 3 does not carry the hash of entry 2.");
        using var shell = new TestShell(new FakeServer().Refuse("GET populations/plant/privacy", problem));

        Assert.Equal(1, await shell.RunAsync("privacy", "report", "--population", "plant"));

        Assert.Contains("Entry 3 does not carry the hash of entry 2.", shell.Error, StringComparison.Ordinal);
        Assert.Empty(shell.Output);
    }

    [Theory]
    [InlineData]
    [InlineData("digits-1", "--population", "plant")]
    public async Task Report_NeitherRunNorPopulationOrBoth_IsRefused(params string[] options)
    {
        using var shell = new TestShell(new FakeServer());

        Assert.Equal(2, await shell.RunAsync(["privacy", "report", .. options]));

        Assert.Contains("A report is of a run or of a population", shell.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ledger_Entries_AreListed()
    {
        var entry = new LedgerEntry { Format = 1, Population = "plant", Number = 2, Previous = Head, Kind = LedgerEntryKinds.Charge, Time = DateTimeOffset.UnixEpoch, Run = "digits-1", Round = 7 };
        using var shell = new TestShell(new FakeServer().On("GET populations/plant/ledger?after=1", new LedgerPage("plant", [entry], 2, Head), WireJson.Default.LedgerPage));

        Assert.Equal(0, await shell.RunAsync("privacy", "ledger", "plant", "--after", "1"));

        Assert.Matches(@"2\s+1970-01-01 00:00:00Z\s+charge\s+digits-1\s+7", shell.Output);
        Assert.Contains($"2 entries; the last is {Head}.", shell.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("-1")]
    [InlineData("100000000")]
    public async Task Ledger_AfterOutOfRange_IsRefused(string after)
    {
        using var shell = new TestShell(new FakeServer());

        Assert.Equal(2, await shell.RunAsync("privacy", "ledger", "--after", after));

        Assert.Contains($"--after is {after}; expected 0 to 99999999.", shell.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Note_Reason_IsWritten()
    {
        var server = new FakeServer().On("POST populations/plant/ledger/notes", new LedgerNoteView(6), WireJson.Default.LedgerNoteView);
        using var shell = new TestShell(server);

        Assert.Equal(0, await shell.RunAsync("privacy", "note", "plant", "--reason", "press-17 asked to be erased", "--run", "digits-1"));

        Assert.Equal("Noted as entry 6.", shell.Output.Trim());
        Assert.Equal(
            new LedgerNoteRequest("press-17 asked to be erased", "digits-1"),
            JsonSerializer.Deserialize(Assert.Single(server.Requests).Body, WireJson.Default.LedgerNoteRequest));
    }

    private static FakeServer Server(PrivacyReport report)
    {
        var run = Views.Run() with { Id = "digits-1", Spec = Views.Spec with { Population = "plant" } };
        return new FakeServer()
            .On("GET runs/digits-1/privacy", report, WireJson.Default.PrivacyReport)
            .On("GET runs/digits-1", run, WireJson.Default.RunView)
            .On("GET populations/plant/privacy", report, WireJson.Default.PrivacyReport)
            .On("GET populations/plant/ledger?after=99999999", new LedgerPage("plant", [], 5, Head), WireJson.Default.LedgerPage);
    }

    private static PrivacyReport Report() => new()
    {
        Subject = "population plant",
        Unit = PrivacyUnit.Client,
        Adjacency = PrivacyAdjacency.AddOrRemoveOne,
        Clients = 200,
        Delta = 5e-4,
        Releases = [new ReportedRelease(new NoisyRelease(ClientSampling.Poisson, 0.25, 2) { GridBits = 14 }, 3, 1)],
        Prices =
        [
            new AdversaryPrice(PrivacyAdversary.ModelHolder, true, 0.75, 8, false) { TightLower = 0.63, TightUpper = 0.64, EpsilonWhenDone = 3, TightUpperWhenDone = 2.6 },
            new AdversaryPrice(PrivacyAdversary.CohortObserver, false, 2.5, 4, false) { TightLower = 2.39, TightUpper = 2.4 },
        ],
        Budget = Standing,
        Warnings = ["Delta is above 1/(10N)."],
        Leaks = PrivacyLeaks.Always,
    };
}
