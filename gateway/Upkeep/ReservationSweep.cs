using FedServerless.Activities.Privacy;
using FedServerless.Activities.State;
using FedServerless.Gateway.Privacy;
using FedServerless.Privacy;
using FedServerless.Storage;

namespace FedServerless.Gateway.Upkeep;

/// <summary>
/// Gives back reservations of rounds that certainly write nothing any more: the round's seal says that it was abandoned, or its run has ended or is gone without
/// a seal for aggregation. What is in doubt stays reserved. A copy of such a round that still ran would find no reservation to charge, and without a charge nothing is noised.
/// </summary>
/// <remarks>
/// It also keeps <c>fed.privacy.spent_ratio</c> alive on a host that trains nothing, and holds every ledger against what its runs published.
/// </remarks>
public sealed class ReservationSweep(IObjectStore store, PrivacyLedger ledger, LedgerAudit audit)
{
    /// <summary>One pass; returns how many reservations went back.</summary>
    /// <exception cref="LedgerBrokenException">A ledger is broken; those before it in the order of names were swept.</exception>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        var released = 0;
        foreach (var population in (await RunsAsync(cancellationToken)).GroupBy(run => run.Spec.Population, StringComparer.Ordinal).OrderBy(group => group.Key, StringComparer.Ordinal))
        {
            var state = await ledger.ReadAsync(population.Key, cancellationToken);
            foreach (var run in population)
            {
                await audit.CheckAsync(run, cancellationToken);
            }

            foreach (var (key, _) in state.Keys.Where(entry => entry.Value.Status == LedgerStatus.Reserved).OrderBy(entry => entry.Value.Number).ToList())
            {
                if (await IsOverAsync(key, cancellationToken) && await ledger.ReleaseAsync(population.Key, key.Run, key.Round, cancellationToken))
                {
                    released++;
                }
            }
        }

        return released;
    }

    private async Task<List<RunDocument>> RunsAsync(CancellationToken cancellationToken)
    {
        var runs = new List<RunDocument>();
        await foreach (var facts in store.ListAsync(StoreNames.RunIndex, cancellationToken))
        {
            var run = await store.FindAsync(StoreNames.Run(facts.Name[StoreNames.RunIndex.Length..]), StoreJson.Default.RunDocument, cancellationToken);
            if (run is { Value.Spec.Privacy: not null })
            {
                runs.Add(run.Value);
            }
        }

        return runs;
    }

    private async Task<bool> IsOverAsync(LedgerKey key, CancellationToken cancellationToken)
    {
        // Asked before the seal: a run that has ended, or is gone, gets no further one.
        var hasEnded = await store.HeadAsync(StoreNames.RunOutcome(key.Run), cancellationToken) is not null
            || await store.HeadAsync(StoreNames.Run(key.Run), cancellationToken) is null;
        var seal = await store.FindAsync(StoreNames.Seal(key.Run, key.Round), StoreJson.Default.SealDocument, cancellationToken);
        return seal is null ? hasEnded : !seal.Value.Aggregate;
    }
}
