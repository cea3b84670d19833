using FedServerless.Activities.State;
using FedServerless.Compression;
using FedServerless.Model;
using FedServerless.Storage;
using FedServerless.Wire;
using FedServerless.Wire.Downloads;

namespace FedServerless.Activities.Models.Downloads;

/// <summary>
/// Makes what devices download of a round's base where that is not the model's own file. All of it follows from the version, the way it
/// is to travel, and what its parent's devices reconstructed; every object is written once, so whoever comes second finds the same.
/// </summary>
internal sealed class DownloadPreparation(IObjectStore store, ModelCatalog models)
{
    /// <summary>The downloads of a plan that has any but the model itself; null for one that has not.</summary>
    public async Task<DownloadsDocument?> PrepareAsync(RoundPlan plan, CancellationToken cancellationToken)
    {
        if (plan.Download is not { } download)
        {
            return null;
        }

        var name = StoreNames.Downloads(plan.Model, plan.BaseVersion, download);
        var document = await store.FindAsync(name, StoreJson.Default.DownloadsDocument, cancellationToken)
            ?? await store.CreateOnceAsync(name, await MakeAsync(plan, download, cancellationToken), StoreJson.Default.DownloadsDocument, cancellationToken);
        await RetireAsync(plan, download, cancellationToken);
        return document.Value;
    }

    private async Task<DownloadsDocument> MakeAsync(RoundPlan plan, DownloadSpec download, CancellationToken cancellationToken)
    {
        var layout = await models.LayoutAsync(plan.Base, cancellationToken);
        var integers = new long[layout.IntegerCount];
        await models.ReadIntegersAsync(plan.Base, integers, cancellationToken);
        var version = new Version(plan, download, layout, integers, new StoredValues(models, plan.Base));
        var whole = new List<WholeDownload>();
        IReadOnlyList<DeltaDownload> deltas = [];
        Digest? chain = null;
        if (download.Has(DownloadEncodings.Delta))
        {
            var parent = await ParentAsync(plan, download, cancellationToken);
            var link = parent is null ? null : await LinkAsync(version, parent, cancellationToken);
            var (head, last) = link ?? (await RootAsync(version, cancellationToken), null);
            whole.Add(head);
            chain = head.Result;
            deltas = last is null ? [] : [.. parent!.Deltas.TakeLast(download.DeltaVersions - 1), last];
        }

        foreach (var encoding in download.Encodings)
        {
            if (encoding != DownloadEncodings.Delta && !(chain is not null && encoding == CarrierOf(download) && encoding == DownloadEncodings.Float16))
            {
                whole.Add(encoding == DownloadEncodings.Float32
                    ? new WholeDownload(encoding, plan.Base, plan.Base.Digest, plan.Base.Bytes)
                    : await EncodeAsync(version, encoding, version.Values, "root", cancellationToken));
            }
        }

        return new DownloadsDocument([.. whole.DistinctBy(one => (one.Encoding, one.Result))], deltas, chain);
    }

    /// <summary>The encoding in which a reconstructed version travels whole, bit for bit.</summary>
    private static string CarrierOf(DownloadSpec download) =>
        download.Has(DownloadEncodings.Float16) ? DownloadEncodings.Float16 : DownloadEncodings.Float32;

    /// <summary>The parent's downloads, if there are any that a delta can build on.</summary>
    private async Task<DownloadsDocument?> ParentAsync(RoundPlan plan, DownloadSpec download, CancellationToken cancellationToken)
    {
        var manifest = await models.ManifestAsync(plan.Model, plan.BaseVersion, cancellationToken);
        if (manifest.Value.Parent is not { } parent)
        {
            return null;
        }

        var found = await store.FindAsync(StoreNames.Downloads(plan.Model, parent, download), StoreJson.Default.DownloadsDocument, cancellationToken);
        var carrier = found?.Value.Whole.FirstOrDefault(whole => whole.Result == found.Value.Chain);
        return carrier is not null && await store.HeadAsync(carrier.Artifact.Object, cancellationToken) is not null ? found!.Value : null;
    }

    /// <summary>The next link of the chain; null where the delta is no smaller than the whole, or cannot be.</summary>
    private async Task<(WholeDownload Head, DeltaDownload? Delta)?> LinkAsync(Version version, DownloadsDocument parent, CancellationToken cancellationToken)
    {
        var before = parent.Whole.First(whole => whole.Result == parent.Chain);
        var start = before.Encoding == DownloadEncodings.Float32
            ? (BlockValues)new StoredValues(models, before.Artifact)
            : new EncodedValues(store, before.Artifact, new EncodedModelShape(version.Layout, CodecOf(before.Encoding)));
        var carrier = CarrierOf(version.Download);
        if (Delta().Length >= (carrier == DownloadEncodings.Float32 ? CanonicalModelFile.Create(version.Layout).Length : Writer(version, carrier).Length))
        {
            return null;
        }

        try
        {
            var key = before.Result.ToString()[..16];
            var encoding = new ModelEncoding(Delta(), version.Values, start, version.Integers);
            var artifact = await PutAsync(version.Name($"{key}.delta"), encoding.EncodedAsync(cancellationToken), Delta().Length, cancellationToken);
            var delta = new DeltaDownload(artifact, before.Result, encoding.Result);
            var head = carrier == DownloadEncodings.Float16
                ? await EncodeAsync(version, carrier, new ReconstructedValues(version.Values, start, Delta), key, cancellationToken)
                : await WriteAsync(version, new ModelEncoding(Delta(), version.Values, start, version.Integers), key, cancellationToken);
            return head.Result == delta.Result
                ? (head, delta)
                : throw new InvalidDataException($"The delta to '{version.Plan.BaseVersion}' makes {delta.Result}, the whole {head.Result}.");
        }
        catch (ArithmeticException)
        {
            // Two versions so far apart that their difference is no number: begin anew.
            return null;
        }

        EncodedModelWriter Delta() => new(version.Layout, CodecOf(version.Download.DeltaCodec), before.Result, carrier == DownloadEncodings.Float16);
    }

    private async Task<WholeDownload> RootAsync(Version version, CancellationToken cancellationToken)
    {
        var carrier = CarrierOf(version.Download);
        var plan = version.Plan;
        return carrier == DownloadEncodings.Float32
            ? new WholeDownload(carrier, plan.Base, plan.Base.Digest, plan.Base.Bytes)
            : await EncodeAsync(version, carrier, version.Values, "root", cancellationToken);
    }

    private async Task<WholeDownload> EncodeAsync(Version version, string encoding, BlockValues values, string key, CancellationToken cancellationToken)
    {
        var writer = Writer(version, encoding);
        var making = new ModelEncoding(writer, values, null, version.Integers);
        var artifact = await PutAsync(version.Name($"{key}.{encoding}"), making.EncodedAsync(cancellationToken), writer.Length, cancellationToken);
        return new WholeDownload(encoding, artifact, making.Result, writer.File.Length);
    }

    private async Task<WholeDownload> WriteAsync(Version version, ModelEncoding making, string key, CancellationToken cancellationToken)
    {
        var length = CanonicalModelFile.Create(version.Layout).Length;
        var artifact = await PutAsync(version.Name($"{key}.safetensors"), making.ResultAsync(cancellationToken), length, cancellationToken);
        return new WholeDownload(DownloadEncodings.Float32, artifact, artifact.Digest, length);
    }

    private async Task<StoredArtifact> PutAsync(
        string name, IAsyncEnumerable<ReadOnlyMemory<byte>> chunks, long length, CancellationToken cancellationToken)
    {
        await using var stream = new ChunkStream(chunks, cancellationToken);
        var put = await store.PutAsync(name, stream, length, PutCondition.CreateOnce, cancellationToken);
        var digest = await stream.CompleteAsync();
        if (!put.Written && (await store.DescribeAsync(name, cancellationToken)).Digest != digest)
        {
            throw new InvalidDataException($"'{name}' is there already, and is not what follows from the model.");
        }

        return new StoredArtifact(name, length, digest);
    }

    /// <summary>Removes the downloads of the version that no delta of this one reaches back to any more.</summary>
    private async Task RetireAsync(RoundPlan plan, DownloadSpec download, CancellationToken cancellationToken)
    {
        var version = plan.BaseVersion;
        for (var back = 0; back <= download.DeltaVersions; back++)
        {
            var manifest = await models.ManifestAsync(plan.Model, version, cancellationToken);
            if (manifest.Value.Parent is not { } parent)
            {
                return;
            }

            version = parent;
        }

        // The documents first: none may name what is gone.
        var prefix = StoreNames.Downloads(plan.Model, version);
        var names = new List<string>();
        await foreach (var facts in store.ListAsync(prefix, cancellationToken))
        {
            names.Add(facts.Name);
        }

        foreach (var name in names.OrderByDescending(name => name.EndsWith(".json", StringComparison.Ordinal)))
        {
            await store.DeleteAsync(name, cancellationToken);
        }
    }

    private static EncodedModelWriter Writer(Version version, string encoding) => new(version.Layout, CodecOf(encoding), null, half: false);

    private static IUpdateCodec CodecOf(string name) => UpdateCodecs.All.Get(name);

    private sealed record Version(RoundPlan Plan, DownloadSpec Download, TensorLayout Layout, long[] Integers, BlockValues Values)
    {
        public string Name(string file) => $"{StoreNames.Downloads(Plan.Model, Plan.BaseVersion)}{Download.Id}/{file}";
    }
}
