using FedServerless.Activities.Privacy;
using FedServerless.Activities.State;
using FedServerless.Storage;

namespace FedServerless.Gateway.Privacy;

/// <summary>Runs that train or trained on a population without privacy: no ledger knows what they released.</summary>
public sealed class UnaccountedRuns(IObjectStore store, PrivacyLedger ledger)
{
    /// <summary>No run.</summary>
    internal static Found None { get; } = new([], []);

    /// <summary>The runs without privacy that are active, and those that published and have ended, deleted ones included, by name.</summary>
    internal async Task<Found> FindAsync(string population, CancellationToken cancellationToken)
    {
        var (active, ended) = (new SortedSet<string>(StringComparer.Ordinal), new SortedSet<string>(StringComparer.Ordinal));
        await foreach (var facts in store.ListAsync(StoreNames.UnaccountedRuns(population), cancellationToken))
        {
            ended.Add(facts.Name[StoreNames.UnaccountedRuns(population).Length..]);
        }

        await foreach (var facts in store.ListAsync(StoreNames.RunIndex, cancellationToken))
        {
            var name = facts.Name[StoreNames.RunIndex.Length..];
            var run = await store.FindAsync(StoreNames.Run(name), StoreJson.Default.RunDocument, cancellationToken);
            if (run?.Value.Spec is { Privacy: null } spec && spec.Population == population
                && await store.HeadAsync(StoreNames.RunStarted(name), cancellationToken) is not null)
            {
                var outcome = await store.FindAsync(StoreNames.RunOutcome(name), StoreJson.Default.RunOutcomeDocument, cancellationToken);
                if (outcome is null)
                {
                    active.Add(name);
                }
                else if (outcome.Value.Published > 0)
                {
                    ended.Add(name);
                }
            }
        }

        return new Found([.. active], [.. ended]);
    }

    /// <summary>Remembers a run that is about to be deleted: what it published does not go with it.</summary>
    internal async Task RememberAsync(RunDocument run, CancellationToken cancellationToken)
    {
        var outcome = await store.FindAsync(StoreNames.RunOutcome(run.Id), StoreJson.Default.RunOutcomeDocument, cancellationToken);
        if (run.Spec.Privacy is null && outcome?.Value.Published > 0)
        {
            await store.PutBytesAsync(StoreNames.UnaccountedRun(run.Spec.Population, run.Id), default, PutCondition.CreateOnce, cancellationToken);
        }
    }

    /// <summary>
    /// Notes runs that started between the look and the budget. A start looks for the budget after it wrote that it started, so one of the two sees the other; the
    /// planner refuses the run's next round in any case.
    /// </summary>
    internal async Task NoteLateAsync(string population, Found before, string @operator, CancellationToken cancellationToken)
    {
        var found = await FindAsync(population, cancellationToken);
        foreach (var run in found.Active.Concat(found.Ended).Except(before.Ended))
        {
            await ledger.NoteAsync(population, $"run '{run}' without privacy started while the first budget was set; rounds that it had planned are not accounted for", run, @operator, cancellationToken);
        }
    }

    /// <summary>Started runs without privacy.</summary>
    /// <param name="Active">Not ended.</param>
    /// <param name="Ended">Ended, having published.</param>
    internal sealed record Found(IReadOnlyList<string> Active, IReadOnlyList<string> Ended);
}
