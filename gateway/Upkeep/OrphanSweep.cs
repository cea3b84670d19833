using FedServerless.Activities.State;
using FedServerless.Storage;

namespace FedServerless.Gateway.Upkeep;

/// <summary>
/// Removes uploads that nobody will ever read: parts that arrived after their round was closed, or of a run that is gone, and
/// model files that were never made a model.
/// </summary>
public sealed class OrphanSweep(IObjectStore store, TimeProvider time)
{
    /// <summary>Age below which nothing is swept: longer than any pre-signed URL lives.</summary>
    public static readonly TimeSpan MinAge = TimeSpan.FromDays(2);

    private const string Updates = "updates/";

    /// <summary>One pass; returns how many objects went.</summary>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        var before = time.GetUtcNow() - MinAge;
        var orphans = new List<string>();
        var isLive = new Dictionary<(string Run, int Round), bool>();
        await foreach (var facts in store.ListAsync(Updates, cancellationToken))
        {
            // updates/{hash}/{run}/{round}/{client}/…
            var segments = facts.Name.Split('/');
            if (facts.LastModified < before && segments.Length > 4 && int.TryParse(segments[3], out var number))
            {
                var round = (segments[2], number);
                if (!isLive.TryGetValue(round, out var live))
                {
                    live = isLive[round] = await IsLiveAsync(segments[2], number, cancellationToken);
                }

                if (!live)
                {
                    orphans.Add(facts.Name);
                }
            }
        }

        await foreach (var facts in store.ListAsync(StoreNames.Models, cancellationToken))
        {
            if (facts.LastModified < before && facts.Name.Split('/') is [_, _, "uploads", _])
            {
                orphans.Add(facts.Name);
            }
        }

        foreach (var name in orphans)
        {
            await store.DeleteAsync(name, cancellationToken);
        }

        return orphans.Count;
    }

    private async Task<bool> IsLiveAsync(string run, int round, CancellationToken cancellationToken)
    {
        var plan = await store.FindAsync(StoreNames.Plan(run, round), StoreJson.Default.RoundPlan, cancellationToken);
        return plan is not null
            && (plan.Value.RetainUpdates || await store.HeadAsync(StoreNames.RoundOutcome(run, round), cancellationToken) is null);
    }
}
