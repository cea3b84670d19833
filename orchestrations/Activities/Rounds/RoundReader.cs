using System.Collections.Concurrent;
using FedServerless.Activities.Models;
using FedServerless.Activities.State;
using FedServerless.Compression;
using FedServerless.Storage;
using FedServerless.Wire;
using FedServerless.Wire.Updates;

namespace FedServerless.Activities.Rounds;

/// <summary>Reads what the steps of a round share: plan, update shape, update headers. Caches only what is immutable and content-addressed.</summary>
internal sealed class RoundReader(IObjectStore store, ModelCatalog models)
{
    private const long MaxCachedHeaderBytes = 32 << 20;

    private readonly ConcurrentDictionary<Digest, UpdateHeader> _headers = new();
    private long _headerBytes;

    public async Task<Stored<RoundPlan>> PlanAsync(string run, int round, CancellationToken cancellationToken) =>
        await store.GetAsync(StoreNames.Plan(run, round), StoreJson.Default.RoundPlan, cancellationToken);

    /// <summary>True once the round's outcome stands: whoever still works on it is a stale copy and has nothing to do.</summary>
    public async Task<bool> IsOverAsync(string run, int round, CancellationToken cancellationToken) =>
        await store.HeadAsync(StoreNames.RoundOutcome(run, round), cancellationToken) is not null;

    public async Task<UpdateShape> ShapeAsync(RoundPlan plan, CancellationToken cancellationToken)
    {
        var layout = await models.LayoutAsync(plan.Base, cancellationToken);
        return UpdateShape.Create(layout, UpdateCodecs.All.Get(plan.Update.Codec), plan.Update.BlockCoordinates);
    }

    /// <summary>Reads and checks a header; the problem is for the operator and the client.</summary>
    public async Task<(UpdateHeader? Header, string? Problem)> HeaderAsync(
        RoundPlan plan, UpdateShape shape, string client, Digest digest, CancellationToken cancellationToken)
    {
        if (_headers.TryGetValue(digest, out var cached) && cached.BaseDigest == plan.Base.Digest
            && cached.Shape.Layout.Digest == shape.Layout.Digest && cached.Shape.Codec == shape.Codec
            && cached.Shape.BlockCoordinates == shape.BlockCoordinates)
        {
            return (cached, null);
        }

        var name = StoreNames.UpdateHeader(plan.Run, plan.Round, client, digest);
        var facts = await store.HeadAsync(name, cancellationToken);
        if (facts is null)
        {
            return (null, "its header was never uploaded");
        }

        if (facts.Length != shape.HeaderLength)
        {
            return (null, $"its header has {facts.Length} bytes, expected {shape.HeaderLength}");
        }

        var bytes = new byte[shape.HeaderLength];
        await store.ReadAsync(name, 0, bytes, cancellationToken);
        if (Digest.Of(bytes) != digest)
        {
            return (null, "its header is not the one that the receipt signed");
        }

        if (!UpdateHeader.TryParse(bytes, shape, plan.Base.Digest, out var header, out var problem))
        {
            return (null, problem);
        }

        Remember(digest, header);
        return (header, null);
    }

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
