using System.Collections.Concurrent;
using FedServerless.Activities.Models;
using FedServerless.Activities.State;
using FedServerless.Storage;
using FedServerless.Wire;
using FedServerless.Wire.Updates;

namespace FedServerless.Gateway.Rounds;

/// <summary>
/// The create-once documents of rounds as this host read them. They never change while a run exists, so they are remembered: for a
/// minute, lest a run that was deleted and made again under its name is mistaken for the old one.
/// </summary>
public sealed class RoundFiles(IObjectStore store, ModelCatalog models, TimeProvider time)
{
    /// <summary>How long a round is remembered.</summary>
    public static readonly TimeSpan RememberFor = TimeSpan.FromMinutes(1);

    /// <summary>Most rounds a host remembers; past it, it forgets them all.</summary>
    public const int MaxRemembered = 1024;

    private readonly ConcurrentDictionary<(string Run, int Round), RoundFile> _rounds = new();

    /// <summary>The round, or null when none of this number is planned.</summary>
    internal async Task<RoundFile?> FindAsync(string run, int round, CancellationToken cancellationToken)
    {
        if (_rounds.TryGetValue((run, round), out var known) && time.GetUtcNow() - known.ReadAt < RememberFor)
        {
            return known;
        }

        var plan = await store.FindAsync(StoreNames.Plan(run, round), StoreJson.Default.RoundPlan, cancellationToken);
        if (plan is null)
        {
            return null;
        }

        if (_rounds.Count >= MaxRemembered)
        {
            _rounds.Clear();
        }

        return _rounds[(run, round)] = new RoundFile(store, models, plan.Value, time.GetUtcNow());
    }

    /// <summary>Forgets a run that is being deleted.</summary>
    internal void Forget(string run)
    {
        foreach (var key in _rounds.Keys.Where(key => key.Run == run))
        {
            _rounds.TryRemove(key, out _);
        }
    }
}

/// <summary>One round's plan and what follows from it, read when first asked for.</summary>
internal sealed class RoundFile(IObjectStore store, ModelCatalog models, RoundPlan plan, DateTimeOffset readAt)
{
    private readonly ConcurrentDictionary<int, string[]> _shards = new();

    private OpenDocument? _open;

    private UpdateShape? _shape;

    private DownloadsDocument? _downloads;

    public RoundPlan Plan => plan;

    public DateTimeOffset ReadAt => readAt;

    /// <summary>When it opened and closes, or null before it does.</summary>
    public async Task<OpenDocument?> OpenAsync(CancellationToken cancellationToken) =>
        _open ??= (await store.FindAsync(StoreNames.Open(plan.Run, plan.Round), StoreJson.Default.OpenDocument, cancellationToken))?.Value;

    /// <summary>True when the client is in the cohort.</summary>
    public async Task<bool> IsSelectedAsync(string client, CancellationToken cancellationToken)
    {
        var shard = Cohort.ShardOf(client, plan.Cohort.Shards);
        if (!_shards.TryGetValue(shard, out var clients))
        {
            var name = StoreNames.CohortShard(plan.Run, plan.Round, plan.Cohort.Digest, shard);
            var stored = await store.FindAsync(name, StoreJson.Default.CohortShardDocument, cancellationToken);
            clients = _shards[shard] = [.. stored?.Value.Clients ?? []];
        }

        return Array.BinarySearch(clients, client, StringComparer.Ordinal) >= 0;
    }

    /// <summary>What devices may download of its base; null for the model's own file alone, and before the round opened.</summary>
    public async Task<DownloadsDocument?> DownloadsAsync(CancellationToken cancellationToken)
    {
        if (_downloads is null && plan.Download is { } download)
        {
            var name = StoreNames.Downloads(plan.Model, plan.BaseVersion, download);
            _downloads = (await store.FindAsync(name, StoreJson.Default.DownloadsDocument, cancellationToken))?.Value;
        }

        return _downloads;
    }

    /// <summary>True when updates of the round may be against the model of this digest.</summary>
    public async Task<bool> IsBaseAsync(Digest start, CancellationToken cancellationToken) => plan.Download is null
        ? start == plan.Base.Digest
        : (await DownloadsAsync(cancellationToken))?.Has(start) == true;

    /// <summary>What an update of this round looks like: from the base model's header, the codec and the block size.</summary>
    public async Task<UpdateShape> ShapeAsync(CancellationToken cancellationToken)
    {
        if (_shape is { } known)
        {
            return known;
        }

        var layout = await models.LayoutAsync(plan.Base, cancellationToken);
        return _shape = UpdateShape.Create(layout, plan.Update);
    }
}
