using FedServerless.Activities.Privacy;
using FedServerless.Activities.State;
using FedServerless.Storage;

namespace FedServerless.Gateway.Privacy;

/// <summary>Runs that train or trained on a population without privacy: no ledger knows what they released.</summary>
public sealed class UnaccountedRuns(IObjectStore store, PrivacyLedger ledger)
{
    /// <summary>No run.</summary>
    internal static Found None { get; } = new([], []);

    /// <summary>The started runs without privacy, by name.</summary>
    internal async Task<Found> FindAsync(string population, CancellationToken cancellationToken)
    {
        var (active, ended) = (new List<string>(), new List<string>());
        await foreach (var facts in store.ListAsync(StoreNames.RunIndex, cancellationToken))
        {
            var name = facts.Name[StoreNames.RunIndex.Length..];
            var run = await store.FindAsync(StoreNames.Run(name), StoreJson.Default.RunDocument, cancellationToken);
            if (run?.Value.Spec is { Privacy: null } spec && spec.Population == population
                && await store.HeadAsync(StoreNames.RunStarted(name), cancellationToken) is not null)
            {
                (await store.HeadAsync(StoreNames.RunOutcome(name), cancellationToken) is null ? active : ended).Add(name);
            }
        }

        active.Sort(StringComparer.Ordinal);
        ended.Sort(StringComparer.Ordinal);
        return new Found(active, ended);
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
    /// <param name="Ended">Ended.</param>
    internal sealed record Found(IReadOnlyList<string> Active, IReadOnlyList<string> Ended);
}
