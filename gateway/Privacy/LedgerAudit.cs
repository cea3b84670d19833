using FedServerless.Activities.Privacy;
using FedServerless.Activities.State;
using FedServerless.Gateway.Runs;
using FedServerless.Privacy;
using FedServerless.Storage;

namespace FedServerless.Gateway.Privacy;

/// <summary>
/// Holds a ledger against what was published: a chain does not show that its last entries were taken away, but a private round that published without a charge does.
/// </summary>
public sealed class LedgerAudit(IObjectStore store, PrivacyLedger ledger)
{
    /// <summary>Compares one private run with the ledger of its population.</summary>
    /// <exception cref="LedgerBrokenException">The run published more rounds than the ledger charges.</exception>
    internal async Task CheckAsync(RunDocument run, CancellationToken cancellationToken)
    {
        // In this order: a round is charged before it publishes.
        var published = (await RunLocation.FindAsync(store, run.Id, cancellationToken)).Published;
        var state = await ledger.ReadAsync(run.Spec.Population, cancellationToken);
        var charged = state.Keys.Count(entry => entry.Key.Run == run.Id && entry.Value.Status == LedgerStatus.Charged);
        if (published > charged)
        {
            throw new LedgerBrokenException(
                state.Population, state.Head + 1, $"run '{run.Id}' published {published} rounds and {charged} of them are charged: entries after {state.Head} were taken away");
        }
    }
}
