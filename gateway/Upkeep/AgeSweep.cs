using FedServerless.Activities.State;
using FedServerless.Gateway.Repeats;
using FedServerless.Storage;

namespace FedServerless.Gateway.Upkeep;

/// <summary>Removes what is only kept for a time: answers to requests with an idempotency key, and audit records past their retention.</summary>
public sealed class AgeSweep(IObjectStore store, UpkeepOptions options, TimeProvider time)
{
    /// <summary>Most objects of a pass; the next one goes on.</summary>
    public const int MaxPerPass = 10_000;

    /// <summary>One pass; returns how many objects went.</summary>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var old = new List<string>();
        await foreach (var facts in store.ListAsync(StoreNames.Answers, cancellationToken))
        {
            if (facts.LastModified < now - AnsweredRequests.KeepFor && old.Count < MaxPerPass)
            {
                old.Add(facts.Name);
            }
        }

        // Days sort by date: the first one that is kept ends the look.
        var firstKept = StoreNames.AuditDay(DateOnly.FromDateTime((now - options.KeepAuditFor).UtcDateTime));
        await foreach (var facts in store.ListAsync(StoreNames.Audit, cancellationToken))
        {
            if (string.CompareOrdinal(facts.Name, firstKept) >= 0 || old.Count >= MaxPerPass)
            {
                break;
            }

            old.Add(facts.Name);
        }

        foreach (var name in old)
        {
            await store.DeleteAsync(name, cancellationToken);
        }

        return old.Count;
    }
}
