using FedServerless.Activities.Clients;
using FedServerless.Activities.Runs;
using FedServerless.Activities.State;
using FedServerless.Testing.Federation;
using FedServerless.Testing.Storage;
using FedServerless.Wire;

namespace FedServerless.Orchestrations.Tests.Clients;

/// <summary>What rounds say of clients: the formula by hand, and what a round's objects make of it.</summary>
public sealed class StandingTests
{
    [Fact]
    public void After_GoodAndBadRounds_DecaysAndRecoversByTheFormula()
    {
        var standing = ClientStanding.Fresh;
        foreach (var what in new[] { StandingEvents.Included, StandingEvents.Refused, StandingEvents.Missing, StandingEvents.LeftOut, StandingEvents.Included })
        {
            standing = standing.After(new StandingEvent("run", 1, what, null));
        }

        // Reliability: 1, 1, .9, .91, .919. Reputation: 1, .9, .9, .86, .874.
        Assert.Equal((0.919, 0.874), (Math.Round(standing.Reliability, 12), Math.Round(standing.Reputation, 12)));
        Assert.Equal((5, 4, 1, 0), (standing.Invited, standing.Delivered, standing.Refused, standing.RefusedInRow));
    }

    [Fact]
    public void After_MoreRoundsThanAreRemembered_KeepsTheLastTwenty()
    {
        var standing = ClientStanding.Fresh;
        for (var round = 1; round <= 25; round++)
        {
            standing = standing.After(new StandingEvent("run", round, StandingEvents.Included, null));
        }

        Assert.Equal(Enumerable.Range(6, 20), standing.History.Select(past => past.Round));
    }

    [Fact]
    public void After_AMissedRoundBetweenRefusals_DoesNotForgiveThem()
    {
        var standing = ClientStanding.Fresh
            .After(new StandingEvent("run", 1, StandingEvents.Refused, "x"))
            .After(new StandingEvent("run", 2, StandingEvents.Missing, null))
            .After(new StandingEvent("run", 3, StandingEvents.Refused, "x"));

        Assert.Equal(2, standing.RefusedInRow);
    }

    [Fact]
    public async Task FoldAsync_APublishedRound_TellsEachClientsPart()
    {
        var (disk, book) = await RoundAsync(SimulatedFederation.Spec());

        var refused = await book.FoldAsync(SimulatedFederation.RunId, 1, CancellationToken.None);

        Assert.Equal(("client-000", 1), (refused.Single().Client, refused.Single().RefusedInRow));
        Assert.Equal(StandingEvents.Refused, await LastAsync(book, "client-000"));
        Assert.Equal(StandingEvents.Included, await LastAsync(book, "client-001"));
        Assert.Equal(StandingEvents.Missing, await LastAsync(book, "client-006"));
        Assert.Equal(1, await new StandingBook(disk).AppliedAsync("default", SimulatedFederation.RunId, CancellationToken.None));
    }

    [Fact]
    public async Task FoldAsync_ARobustRuleLeftOneOut_MarksItSo()
    {
        var (_, book) = await RoundAsync(SimulatedFederation.Spec() with { Aggregation = new AggregationSpec { Rule = "multi-krum", Byzantine = 1, Keep = 2 } });

        await book.FoldAsync(SimulatedFederation.RunId, 1, CancellationToken.None);

        string[] events = [.. await Task.WhenAll(Enumerable.Range(1, 5).Select(i => LastAsync(book, $"client-{i:D3}")))];
        Assert.Equal((2, 3), (events.Count(what => what == StandingEvents.Included), events.Count(what => what == StandingEvents.LeftOut)));
    }

    [Fact]
    public async Task FoldAsync_AnUpdateInTheModelThatPointsAgainstIt_IsMarkedOpposed()
    {
        var (disk, book) = await RoundAsync(
            SimulatedFederation.Spec() with { Aggregation = new AggregationSpec { Rule = "geometric-median", Byzantine = 1 } },
            (client, parameters) => [.. Enumerable.Range(0, (int)parameters).Select(i => (i + 1) * (client == "client-003" ? -0.001f : 0.01f + (1e-4f * int.Parse(client[^3..]))))]);

        await book.FoldAsync(SimulatedFederation.RunId, 1, CancellationToken.None);

        Assert.Equal(StandingEvents.Opposed, await LastAsync(book, "client-003"));
        Assert.Equal(StandingEvents.Included, await LastAsync(book, "client-001"));
        Assert.Equal(0.95, (await book.FindAsync("default", "client-003", CancellationToken.None)).Reputation, 1e-12);
        var decision = await disk.GetAsync(StoreNames.Decision(SimulatedFederation.RunId, 1), StoreJson.Default.DecisionDocument, CancellationToken.None);
        Assert.Equal([1, 1, -1, 1, 1], decision.Value.Cosines!.Select(cosine => Math.Round(cosine, 9)));
    }

    [Fact]
    public async Task FoldAsync_HostDiesWhileItSettles_HandsTheRefusedOverAgain()
    {
        var (_, book) = await RoundAsync(SimulatedFederation.Spec());
        await Assert.ThrowsAsync<IOException>(() => book.FoldAsync(SimulatedFederation.RunId, 1, _ => throw new IOException(), CancellationToken.None));
        var settled = new List<(string Client, int RefusedInRow, string? Reason)>();

        await book.FoldAsync(SimulatedFederation.RunId, 1, AddAsync, CancellationToken.None);
        await book.FoldAsync(SimulatedFederation.RunId, 1, AddAsync, CancellationToken.None);

        Assert.Equal(("client-000", 1), (settled.Single().Client, settled.Single().RefusedInRow));

        Task AddAsync(IReadOnlyList<(string Client, int RefusedInRow, string? Reason)> refused)
        {
            settled.AddRange(refused);
            return Task.CompletedTask;
        }
    }

    [Fact]
    public async Task ForgetAsync_ARunThatWasDeleted_FoldsAnotherOneOfItsName()
    {
        var (_, book) = await RoundAsync(SimulatedFederation.Spec());
        await book.FoldAsync(SimulatedFederation.RunId, 1, CancellationToken.None);

        await book.ForgetAsync("default", SimulatedFederation.RunId, CancellationToken.None);

        Assert.Equal(0, await book.AppliedAsync("default", SimulatedFederation.RunId, CancellationToken.None));
        await book.FoldAsync(SimulatedFederation.RunId, 1, CancellationToken.None);
        Assert.Equal(2, (await book.FindAsync("default", "client-000", CancellationToken.None)).RefusedInRow);
    }

    [Fact]
    public async Task FoldAsync_TwiceAndByTwoAtOnce_CountsARoundOnce()
    {
        var (disk, book) = await RoundAsync(SimulatedFederation.Spec());

        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => new StandingBook(disk).FoldAsync(SimulatedFederation.RunId, 1, CancellationToken.None))));
        await book.FoldAsync(SimulatedFederation.RunId, 1, CancellationToken.None);

        Assert.Equal(1, (await book.FindAsync("default", "client-001", CancellationToken.None)).Invited);
    }

    [Fact]
    public async Task FoldAsync_ARoundThatTheOperatorStopped_BlamesNobody()
    {
        var disk = new InMemoryObjectStore();
        await using var federation = new SimulatedFederation(disk, new SimulatedClients(disk, 3));
        federation.Clients.Silent.UnionWith(federation.Clients.Ids);
        await SimulatedFederation.CreateAsync(disk, SimulatedFederation.Spec());
        await Rounds.Plans.ReplaceAsync(federation, plan => plan);
        await federation.SetControlAsync(ControlStates.Stop);
        await federation.RunRoundAsync();
        var book = new StandingBook(disk);

        await book.FoldAsync(SimulatedFederation.RunId, 1, CancellationToken.None);

        Assert.Equal(ClientStanding.Fresh, await book.FindAsync("default", "client-000", CancellationToken.None));
    }

    [Fact]
    public async Task PlanRound_LowestReputation_LeavesWorseClientsOut()
    {
        var (disk, book) = await RoundAsync(SimulatedFederation.Spec(rounds: 2));
        await book.FoldAsync(SimulatedFederation.RunId, 1, CancellationToken.None);
        var spec = SimulatedFederation.Spec(rounds: 2) with { Selection = new SelectionSpec { MinReputation = 0.95 } };
        await disk.PutAsync(StoreNames.Run("other"), new RunDocument("other", spec), StoreJson.Default.RunDocument, Storage.PutCondition.CreateOnce, CancellationToken.None);
        await using var federation = new SimulatedFederation(disk, new SimulatedClients(disk, 7));

        await federation.Activities.PlanRound.RunAsync(new Workflows.Rounds.RoundInput("other", 1), CancellationToken.None);

        var plan = (await disk.GetAsync(StoreNames.Plan("other", 1), StoreJson.Default.RoundPlan, CancellationToken.None)).Value;
        Assert.Equal(6, plan.Cohort.Count);
    }

    /// <summary>Seven clients: the first one's update is not finite, the last one is silent.</summary>
    private static async Task<(InMemoryObjectStore Disk, StandingBook Book)> RoundAsync(RunSpec spec, Func<string, long, float[]>? deltas = null)
    {
        var disk = new InMemoryObjectStore();
        var clients = new SimulatedClients(disk, 7)
        {
            Tamper = (_, client, update) => client == "client-000" ? update with { Parts = [new byte[update.Parts[0].Length]] } : update,
        };
        clients.Deltas = deltas is null ? clients.Deltas : (_, client, parameters) => deltas(client, parameters);
        clients.Silent.Add("client-006");
        await using var federation = new SimulatedFederation(disk, clients);
        await SimulatedFederation.CreateAsync(disk, spec);
        await Rounds.Plans.ReplaceAsync(federation, plan => plan);
        await federation.RunRoundAsync();
        return (disk, new StandingBook(disk));
    }

    private static async Task<string> LastAsync(StandingBook book, string client) =>
        (await book.FindAsync("default", client, CancellationToken.None)).History[^1].What;
}
