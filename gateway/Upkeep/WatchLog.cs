using System.Collections.Immutable;
using FedServerless.Activities.State;
using FedServerless.Storage;

namespace FedServerless.Gateway.Upkeep;

/// <summary>
/// The watchdog's entries in a run's log. Readers number entries by their place, so an entry must sort after all that are there
/// and before all that are to come: its name is the last entry's with a tilde and a number behind.
/// </summary>
internal sealed class WatchLog(IObjectStore store, TimeProvider time)
{
    /// <summary>What the log calls them.</summary>
    public const string Kind = "watchdog";

    private const string Mark = "~w";

    /// <summary>Writes an entry unless one with the same key is there.</summary>
    public async Task WriteAsync(string run, int round, string key, string message, CancellationToken cancellationToken)
    {
        var last = $"{StoreNames.RunLog(run)}000000-00-run.json";
        var ours = 0;
        await foreach (var facts in store.ListAsync(StoreNames.RunLog(run), cancellationToken))
        {
            last = facts.Name;
            if (facts.Name.Contains(Mark, StringComparison.Ordinal))
            {
                ours++;
                if (facts.Name.EndsWith($"-{key}.json", StringComparison.Ordinal))
                {
                    return;
                }
            }
        }

        var stem = last[..^".json".Length];
        var mark = stem.IndexOf(Mark, StringComparison.Ordinal);
        var name = $"{(mark < 0 ? stem : stem[..mark])}{Mark}{ours + 1:D6}-{key}.json";
        var entry = new LogDocument(time.GetUtcNow(), Kind, round, null, message, ImmutableSortedDictionary<string, double>.Empty);
        await store.PutAsync(name, entry, StoreJson.Default.LogDocument, PutCondition.CreateOnce, cancellationToken);
    }
}
