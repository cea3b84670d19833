using FedServerless.Capacity;
using FedServerless.Storage;

namespace FedServerless.Activities.State;

/// <summary>Listings of a prefix.</summary>
public static class Listings
{
    /// <summary>Requests that a loop over many objects has under way at a time.</summary>
    internal const int AtOnce = CapacityModel.CleanRequestsAtOnce;

    /// <summary>How many objects have the prefix.</summary>
    public static async Task<int> CountAsync(this IObjectStore store, string prefix, CancellationToken cancellationToken)
    {
        var count = 0;
        await foreach (var _ in store.ListAsync(prefix, cancellationToken))
        {
            count++;
        }

        return count;
    }

    /// <summary>The ids of <c>{prefix}{id}.json</c>, in ordinal order of id.</summary>
    public static async Task<List<string>> ListIdsAsync(this IObjectStore store, string prefix, CancellationToken cancellationToken)
    {
        const string Suffix = ".json";
        var ids = new List<string>();
        await foreach (var found in store.ListAsync(prefix, cancellationToken))
        {
            if (found.Name.EndsWith(Suffix, StringComparison.Ordinal))
            {
                ids.Add(found.Name[prefix.Length..^Suffix.Length]);
            }
        }

        // "a-1.json" sorts before "a.json": the order of names is not the order of ids.
        ids.Sort(StringComparer.Ordinal);
        return ids;
    }

    /// <summary>Deletes every object of the prefix.</summary>
    public static async Task DeleteAllAsync(this IObjectStore store, string prefix, CancellationToken cancellationToken)
    {
        var names = new List<string>();
        await foreach (var found in store.ListAsync(prefix, cancellationToken))
        {
            names.Add(found.Name);
        }

        var options = new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(names, options, async (name, token) => await store.DeleteAsync(name, token));
    }
}
