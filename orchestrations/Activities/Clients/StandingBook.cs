using FedServerless.Activities.Rounds;
using FedServerless.Activities.Runs;
using FedServerless.Activities.State;
using FedServerless.Storage;

namespace FedServerless.Activities.Clients;

/// <summary>
/// The standings of a population's clients, folded from closed rounds outside of them: a round costs nothing for it. Each shard
/// remembers how far it is, so folding twice, or by two hosts at once, is folding once.
/// </summary>
public sealed class StandingBook(IObjectStore store)
{
    /// <summary>Shards of a population.</summary>
    public const int Shards = 8;

    /// <summary>A client's standing; fresh for one that no round has asked yet.</summary>
    public async Task<ClientStanding> FindAsync(string population, string client, CancellationToken cancellationToken)
    {
        var name = StoreNames.Standings(population, Cohort.ShardOf(client, Shards));
        var shard = await store.FindAsync(name, StandingJson.Default.StandingsDocument, cancellationToken);
        return shard?.Value.Clients.GetValueOrDefault(client) ?? ClientStanding.Fresh;
    }

    /// <summary>Everybody's reputation, of clients whom a round has asked.</summary>
    public async Task<IReadOnlyDictionary<string, double>> ReputationsAsync(string population, CancellationToken cancellationToken)
    {
        var reputations = new Dictionary<string, double>(StringComparer.Ordinal);
        for (var shard = 0; shard < Shards; shard++)
        {
            var stored = await store.FindAsync(StoreNames.Standings(population, shard), StandingJson.Default.StandingsDocument, cancellationToken);
            foreach (var (client, standing) in stored?.Value.Clients ?? new Dictionary<string, ClientStanding>())
            {
                reputations[client] = standing.Reputation;
            }
        }

        return reputations;
    }

    /// <summary>The last round of a run that is in the standings.</summary>
    public async Task<int> AppliedAsync(string population, string run, CancellationToken cancellationToken)
    {
        // Shard 0 is written last.
        var stored = await store.FindAsync(StoreNames.Standings(population, 0), StandingJson.Default.StandingsDocument, cancellationToken);
        return stored?.Value.Applied.GetValueOrDefault(run) ?? 0;
    }

    /// <summary>Folds one closed round in; returns those whose refusals in a row grew.</summary>
    public Task<IReadOnlyList<(string Client, int RefusedInRow, string? Reason)>> FoldAsync(string run, int round, CancellationToken cancellationToken) =>
        FoldAsync(run, round, static _ => Task.CompletedTask, cancellationToken);

    /// <summary>
    /// Folds one closed round in; returns those whose refusals in a row grew. They are handed to <paramref name="settle"/> before the round
    /// counts as folded, at least once: whoever dies in between folds again and hands them over again.
    /// </summary>
    public async Task<IReadOnlyList<(string Client, int RefusedInRow, string? Reason)>> FoldAsync(
        string run, int round, Func<IReadOnlyList<(string Client, int RefusedInRow, string? Reason)>, Task> settle, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(settle);
        var plan = (await store.GetAsync(StoreNames.Plan(run, round), StoreJson.Default.RoundPlan, cancellationToken)).Value;
        var events = await EventsAsync(plan, cancellationToken);
        var refused = new List<(string, int, string?)>();
        for (var shard = Shards - 1; shard >= 0; shard--)
        {
            var own = events.Where(pair => Cohort.ShardOf(pair.Key, Shards) == shard).ToArray();
            var after = await ApplyAsync(plan, shard, own, after => shard == 0 ? settle([.. refused, .. Refused(own, after)]) : Task.CompletedTask, cancellationToken);
            refused.AddRange(Refused(own, after));
        }

        return refused;
    }

    /// <summary>Forgets how far a run was folded: another one may come under its name. What its rounds said of clients stays.</summary>
    public async Task ForgetAsync(string population, string run, CancellationToken cancellationToken)
    {
        for (var shard = Shards - 1; shard >= 0; shard--)
        {
            var name = StoreNames.Standings(population, shard);
            while (await store.FindAsync(name, StandingJson.Default.StandingsDocument, cancellationToken) is { } stored && stored.Value.Applied.ContainsKey(run))
            {
                var applied = new SortedDictionary<string, int>(stored.Value.Applied.ToDictionary(), StringComparer.Ordinal);
                applied.Remove(run);
                await store.PutAsync(
                    name, stored.Value with { Applied = applied }, StandingJson.Default.StandingsDocument, PutCondition.IfMatch(stored.ETag), cancellationToken);
            }
        }
    }

    private static IEnumerable<(string Client, int RefusedInRow, string? Reason)> Refused(KeyValuePair<string, StandingEvent>[] events, StandingsDocument after) =>
        events.Where(pair => pair.Value.What == StandingEvents.Refused)
            .Select(pair => (pair.Key, after.Clients.GetValueOrDefault(pair.Key, ClientStanding.Fresh).RefusedInRow, pair.Value.Reason));

    private async Task<StandingsDocument> ApplyAsync(
        RoundPlan plan, int shard, KeyValuePair<string, StandingEvent>[] events, Func<StandingsDocument, Task> beforeWrite, CancellationToken cancellationToken)
    {
        var name = StoreNames.Standings(plan.Population, shard);
        while (true)
        {
            var stored = await store.FindAsync(name, StandingJson.Default.StandingsDocument, cancellationToken);
            var before = stored?.Value ?? new StandingsDocument(new Dictionary<string, int>(), new Dictionary<string, ClientStanding>());
            if (before.Applied.GetValueOrDefault(plan.Run) >= plan.Round)
            {
                return before;
            }

            var clients = new SortedDictionary<string, ClientStanding>(before.Clients.ToDictionary(), StringComparer.Ordinal);
            foreach (var (client, what) in events)
            {
                clients[client] = clients.GetValueOrDefault(client, ClientStanding.Fresh).After(what);
            }

            var applied = new SortedDictionary<string, int>(before.Applied.ToDictionary(), StringComparer.Ordinal) { [plan.Run] = plan.Round };
            var after = new StandingsDocument(applied, clients);
            await beforeWrite(after);
            var condition = stored is null ? PutCondition.CreateOnce : PutCondition.IfMatch(stored.ETag);
            if ((await store.PutAsync(name, after, StandingJson.Default.StandingsDocument, condition, cancellationToken)).Written)
            {
                return after;
            }
        }
    }

    /// <summary>What became of each client of the cohort; nobody where an operator stopped the round.</summary>
    private async Task<IReadOnlyDictionary<string, StandingEvent>> EventsAsync(RoundPlan plan, CancellationToken cancellationToken)
    {
        var events = new SortedDictionary<string, StandingEvent>(StringComparer.Ordinal);
        if (plan.Privacy is not null)
        {
            // A standing is made of what clients sent, and a private round tells nobody but through its noise.
            return events;
        }

        var control = await store.FindAsync(StoreNames.RunControl(plan.Run), StoreJson.Default.ControlDocument, cancellationToken);
        var seal = await store.FindAsync(StoreNames.Seal(plan.Run, plan.Round), StoreJson.Default.SealDocument, cancellationToken);
        if (seal is null || (!seal.Value.Aggregate && control?.Value.Desired == ControlStates.Stop))
        {
            return events;
        }

        var sealedClients = seal.Value.Receipts.ToHashSet(StringComparer.Ordinal);
        foreach (var client in await store.ReadCohortAsync(plan, cancellationToken))
        {
            Add(client, sealedClients.Contains(client) ? StandingEvents.Unused : StandingEvents.Missing, null);
        }

        var outcome = await store.FindAsync(StoreNames.RoundOutcome(plan.Run, plan.Round), StoreJson.Default.RoundOutcomeDocument, cancellationToken);
        var accepted = await store.FindAsync(StoreNames.Accepted(plan.Run, plan.Round), StoreJson.Default.AcceptedDocument, cancellationToken);
        foreach (var refusal in accepted?.Value.Refused.Where(refusal => events.ContainsKey(refusal.Client)) ?? [])
        {
            Add(refusal.Client, StandingEvents.Refused, refusal.Reason);
        }

        if (accepted is not null && outcome is { Value.Published: true })
        {
            var decision = await store.FindAsync(StoreNames.Decision(plan.Run, plan.Round), StoreJson.Default.DecisionDocument, cancellationToken);
            var used = decision is null ? accepted.Value.Accepted : Contributions.Of(plan, accepted.Value, decision.Value);
            var against = Opposed(plan, accepted.Value, decision?.Value.Cosines);
            var inside = used.Select(update => update.Client).Append(plan.Aggregation.RootClient ?? "").ToHashSet(StringComparer.Ordinal);
            foreach (var update in accepted.Value.Accepted.Where(update => events.ContainsKey(update.Client)))
            {
                Add(
                    update.Client,
                    !inside.Contains(update.Client) ? StandingEvents.LeftOut : against.Contains(update.Client) ? StandingEvents.Opposed : StandingEvents.Included,
                    null);
            }
        }

        return events;

        void Add(string client, string what, string? reason) => events[client] = new StandingEvent(plan.Run, plan.Round, what, reason);
    }

    private static HashSet<string> Opposed(RoundPlan plan, AcceptedDocument accepted, IReadOnlyList<double>? cosines) => cosines is null
        ? []
        : RobustRound.Judged(plan, accepted).Where((_, i) => cosines[i] < 0).Select(update => update.Client).ToHashSet(StringComparer.Ordinal);
}
