using System.Collections.Concurrent;
using FedServerless.Activities.Models;
using FedServerless.Activities.State;
using FedServerless.Aggregation;
using FedServerless.Capacity;
using FedServerless.Storage;
using FedServerless.Wire;
using FedServerless.Wire.Updates;

namespace FedServerless.Activities.Rounds;

/// <summary>Reads what the steps of a round share: plan, update shape, update headers. Caches only what is immutable and content-addressed.</summary>
internal sealed class RoundReader(IObjectStore store, ModelCatalog models)
{
    private const long MaxCachedHeaderBytes = 32 << 20;

    private const int MaxCachedDownloads = 64;

    private readonly ConcurrentDictionary<Digest, UpdateHeader> _headers = new();
    private readonly ConcurrentDictionary<(string Name, Digest Base), DownloadsDocument> _downloads = new();
    private readonly LastRead<SealDocument> _seal = new(store, StoreJson.Default.SealDocument);
    private readonly LastRead<AcceptedDocument> _accepted = new(store, StoreJson.Default.AcceptedDocument);
    private long _headerBytes;

    public async Task<Stored<RoundPlan>> PlanAsync(string run, int round, CancellationToken cancellationToken) =>
        await store.GetAsync(StoreNames.Plan(run, round), StoreJson.Default.RoundPlan, cancellationToken);

    /// <summary>True once the round's outcome stands: whoever still works on it is a stale copy and has nothing to do.</summary>
    public async Task<bool> IsOverAsync(string run, int round, CancellationToken cancellationToken) =>
        await store.HeadAsync(StoreNames.RoundOutcome(run, round), cancellationToken) is not null;

    /// <summary>The round's seal; that of a large cohort is kept in memory and only asked after, not read again.</summary>
    public async Task<SealDocument> SealAsync(RoundPlan plan, CancellationToken cancellationToken)
    {
        var name = StoreNames.Seal(plan.Run, plan.Round);
        var seal = await _seal.FindAsync(name, _ => IsLarge(plan), cancellationToken) ?? throw new InvalidDataException($"'{name}' does not exist.");
        return seal.Value;
    }

    /// <summary>The accepted updates; those of a large cohort are kept in memory and only asked after, not read again.</summary>
    public async Task<Stored<AcceptedDocument>> AcceptedAsync(RoundPlan plan, CancellationToken cancellationToken)
    {
        var name = StoreNames.Accepted(plan.Run, plan.Round);
        return await _accepted.FindAsync(name, _ => IsLarge(plan), cancellationToken) ?? throw new InvalidDataException($"'{name}' does not exist.");
    }

    /// <summary>The updates that go into the model, with the weights they have there, and the digest that names this set.</summary>
    public async Task<RoundContributions> ContributionsAsync(RoundPlan plan, CancellationToken cancellationToken)
    {
        var accepted = await AcceptedAsync(plan, cancellationToken);
        if (plan.Aggregation.Rule == Aggregators.WeightedMean)
        {
            var updates = accepted.Value.Accepted;
            var buffers = updates.Any(update => update.BufferWeight is not null)
                ? updates.Select(update => update with { Weight = update.BufferWeight ?? update.Weight }).ToArray()
                : null;
            return new RoundContributions(updates, accepted.Digest, null, buffers) { Scale = accepted.Value.Scale ?? 1 };
        }

        var decision = await store.GetAsync(StoreNames.Decision(plan.Run, plan.Round), StoreJson.Default.DecisionDocument, cancellationToken);
        return new RoundContributions(
            Contributions.Of(plan, accepted.Value, decision.Value), decision.Digest, decision.Value, Contributions.OfBuffers(plan, accepted.Value, decision.Value));
    }

    public async Task<UpdateShape> ShapeAsync(RoundPlan plan, CancellationToken cancellationToken)
    {
        var layout = await models.LayoutAsync(plan.Base, cancellationToken);
        return UpdateShape.Create(layout, plan.Update);
    }

    /// <summary>How large the round is, by its cohort.</summary>
    public async Task<RoundSize> SizeAsync(RoundPlan plan, CancellationToken cancellationToken) =>
        RoundSize.Of(await ShapeAsync(plan, cancellationToken), plan.Update.MinPartBytes ?? plan.Update.PartBytes, plan.ShardCoordinates, plan.Cohort.Count);

    /// <summary>Reads and checks a header; the problem is for the operator and the client.</summary>
    public async Task<(UpdateHeader? Header, string? Problem)> HeaderAsync(
        RoundPlan plan, UpdateShape shape, string client, Digest digest, CancellationToken cancellationToken)
    {
        if (_headers.TryGetValue(digest, out var cached) && await IsBaseAsync(plan, cached.BaseDigest, cancellationToken)
            && cached.Shape.Layout.Digest == shape.Layout.Digest && Equals(cached.Shape.Codec, shape.Codec)
            && cached.Shape.BlockCoordinates == shape.BlockCoordinates)
        {
            return (cached, null);
        }

        var name = StoreNames.UpdateHeader(plan.Run, plan.Round, client, digest);
        var bytes = new byte[shape.HeaderLength];
        var length = await store.ReadWholeAsync(name, bytes, cancellationToken);
        if (length != bytes.Length)
        {
            return (null, length is null ? "its header was never uploaded" : $"its header has {length} bytes, expected {bytes.Length}");
        }

        if (Digest.Of(bytes) != digest)
        {
            return (null, "its header is not the one that the receipt signed");
        }

        var start = UpdateHeader.BaseDigestOf(bytes);
        var expected = await IsBaseAsync(plan, start, cancellationToken) ? start : plan.Base.Digest;
        if (!UpdateHeader.TryParse(bytes, shape, expected, out var header, out var problem))
        {
            return (null, problem);
        }

        Remember(digest, header);
        return (header, null);
    }

    /// <summary>True when updates of the round may be against the model of this digest: what devices made of the base's downloads.</summary>
    public async Task<bool> IsBaseAsync(RoundPlan plan, Digest start, CancellationToken cancellationToken)
    {
        if (plan.Download is null)
        {
            return start == plan.Base.Digest;
        }

        // By name, so by the way models travel: a run that is deleted and made anew may have another.
        var name = StoreNames.Downloads(plan.Model, plan.BaseVersion, plan.Download);
        var key = (name, plan.Base.Digest);
        if (!_downloads.TryGetValue(key, out var known))
        {
            known = (await store.GetAsync(name, StoreJson.Default.DownloadsDocument, cancellationToken)).Value;
            if (_downloads.Count >= MaxCachedDownloads)
            {
                _downloads.Clear();
            }

            _downloads[key] = known;
        }

        return known.Has(start);
    }

    private static bool IsLarge(RoundPlan plan) => plan.Cohort.Count > ClientChunks.Size;

    private void Remember(Digest digest, UpdateHeader header)
    {
        if (Interlocked.Add(ref _headerBytes, header.Bytes.Length) > MaxCachedHeaderBytes)
        {
            _headers.Clear();
            Interlocked.Exchange(ref _headerBytes, header.Bytes.Length);
        }

        _headers[digest] = header;
    }
}

/// <summary>The updates of a round that go into the model.</summary>
/// <param name="Updates">In client-id order, with their final weights.</param>
/// <param name="Digest">Names the set: of the accepted document, or of a robust rule's decision.</param>
/// <param name="Decision">What a robust rule decided, or null.</param>
/// <param name="Buffers">The same updates as their buffers are weighted, where that is otherwise; null where it is not.</param>
internal sealed record RoundContributions(
    IReadOnlyList<AcceptedUpdate> Updates, Digest Digest, DecisionDocument? Decision, IReadOnlyList<AcceptedUpdate>? Buffers = null)
{
    /// <summary>What the weighted mean of parameters is multiplied by.</summary>
    public double Scale { get; init; } = 1;

    /// <summary>The updates as a range of the model weighs them.</summary>
    public IReadOnlyList<AcceptedUpdate> For(ShardRange range) => range.IsBuffers && Buffers is not null ? Buffers : Updates;
}
