using FedServerless.Activities.Models;
using FedServerless.Activities.Models.Downloads;
using FedServerless.Activities.State;
using FedServerless.Model;
using FedServerless.Storage;
using FedServerless.Testing.Storage;
using FedServerless.Wire;
using FedServerless.Wire.Downloads;

namespace FedServerless.Orchestrations.Tests.Rounds;

/// <summary>What devices download of a version: made once, the same whoever makes it, and exactly what a device reads back.</summary>
public sealed class DownloadPreparationTests
{
    private const string Name = "digits";

    [Theory]
    [InlineData("float16")]
    [InlineData("int8")]
    public async Task PrepareAsync_OneEncoding_IsWhatADeviceReads(string encoding)
    {
        var disk = new InMemoryObjectStore();
        var model = Models.Large(70_000, 300);
        var plan = await PublishAsync(disk, "v0", null, model, new DownloadSpec { Encodings = [encoding] });

        var downloads = (await PrepareAsync(disk, plan))!;

        var whole = Assert.Single(downloads.Whole);
        Assert.Equal((encoding, plan.Base.Bytes), (whole.Encoding, whole.ResultBytes));
        Assert.True(whole.Artifact.Bytes < plan.Base.Bytes);
        Assert.Equal(whole.Artifact, new StoredArtifact(whole.Artifact.Object, disk.Peek(whole.Artifact.Object)!.Length, Digest.Of(disk.Peek(whole.Artifact.Object)!)));
        var state = Decode(disk, whole.Artifact, plan, null, default);
        Assert.Equal(whole.Result, Digest.Of(ModelStateFile.ToBytes(state)));
        Assert.Equal(model.Buffers, state.Buffers);
        Assert.False(downloads.Has(plan.Base.Digest));
        Assert.Equal(downloads.Whole, (await PrepareAsync(disk, plan))!.Whole);
    }

    [Theory]
    [InlineData("float32")]
    [InlineData("float16")]
    public async Task PrepareAsync_ThreeVersions_DeltasLeadFromOneReconstructionToTheNext(string carrier)
    {
        var disk = new InMemoryObjectStore();
        var spec = new DownloadSpec { Encodings = [carrier, "delta"] };
        var plans = await PublishAsync(disk, 3, spec);

        var first = (await PrepareAsync(disk, plans[0]))!;
        await PrepareAsync(disk, plans[1]);
        var third = (await PrepareAsync(disk, plans[2]))!;

        Assert.Empty(first.Deltas);
        Assert.Equal(2, third.Deltas.Count);
        Assert.Equal(first.Chain, third.Deltas[0].Start);
        Assert.Equal(third.Deltas[0].Result, third.Deltas[1].Start);
        Assert.Equal(third.Chain, third.Deltas[1].Result);
        var root = first.Whole[0];
        var state = carrier == "float32" ? ModelStateFile.Read(disk.Peek(root.Artifact.Object)!) : Decode(disk, root.Artifact, plans[0], null, default);
        foreach (var delta in third.Deltas)
        {
            state = Decode(disk, delta.Artifact, plans[2], state, delta.Start);
            Assert.Equal(delta.Result, Digest.Of(ModelStateFile.ToBytes(state)));
            Assert.True(delta.Artifact.Bytes < third.Whole[0].Artifact.Bytes);
        }

        // The whole download of the reconstruction is the same model, bit for bit.
        var whole = third.Whole.First(whole => whole.Result == third.Chain);
        var joined = whole.Encoding == "float32" ? ModelStateFile.Read(disk.Peek(whole.Artifact.Object)!) : Decode(disk, whole.Artifact, plans[2], null, default);
        Assert.Equal(state.Values, joined.Values);
    }

    /// <summary>The difference is taken to what devices have, so what one delta leaves out is in the next: it does not add up.</summary>
    [Fact]
    public async Task PrepareAsync_ManyVersions_ErrorStaysThatOfOneDelta()
    {
        var disk = new InMemoryObjectStore();
        var plans = await PublishAsync(disk, 12, new DownloadSpec { Encodings = ["float32", "delta"], DeltaVersions = 16 });
        DownloadsDocument? last = null;
        foreach (var plan in plans)
        {
            last = await PrepareAsync(disk, plan);
        }

        var reconstructed = ModelStateFile.Read(disk.Peek(last!.Whole[0].Artifact.Object)!);
        var exact = ModelStateFile.Read(disk.Peek(plans[^1].Base.Object)!);
        var error = reconstructed.Values.Zip(exact.Values, (a, b) => Math.Abs(a - b)).Max();

        // A step changes every value by less than 0.02 and the last error adds half a level: half of the largest, over 127, and rounding.
        Assert.InRange(error, 1e-9, (0.02 * 1.1 / 127 / 2) + 1e-6);
    }

    [Fact]
    public async Task PrepareAsync_Twice_WritesNothingMore()
    {
        var disk = new InMemoryObjectStore();
        var plans = await PublishAsync(disk, 2, new DownloadSpec { Encodings = ["float16", "delta", "int8", "float32"] });
        await PrepareAsync(disk, plans[0]);
        var once = await PrepareAsync(disk, plans[1]);
        var names = disk.Names.Order(StringComparer.Ordinal).ToArray();

        var twice = await PrepareAsync(disk, plans[1]);

        Assert.Equal(names, disk.Names.Order(StringComparer.Ordinal));
        Assert.Equal(once!.Whole, twice!.Whole);
        Assert.Equal(once.Deltas, twice.Deltas);
    }

    [Fact]
    public async Task PrepareAsync_DiedBeforeTheDocument_MakesTheSame()
    {
        var disk = new InMemoryObjectStore();
        var plans = await PublishAsync(disk, 2, new DownloadSpec { Encodings = ["float16", "delta"] });
        await PrepareAsync(disk, plans[0]);
        var once = await PrepareAsync(disk, plans[1]);
        await disk.DeleteAsync(StoreNames.Downloads(Name, "v1", plans[1].Download!), CancellationToken.None);
        await disk.DeleteAsync(once!.Whole[0].Artifact.Object, CancellationToken.None);

        var again = await PrepareAsync(disk, plans[1]);

        Assert.Equal(once.Whole, again!.Whole);
        Assert.Equal(once.Deltas, again.Deltas);
    }

    [Fact]
    public async Task PrepareAsync_FileOfAnotherContentInItsPlace_IsNotBelieved()
    {
        var disk = new InMemoryObjectStore();
        var plan = (await PublishAsync(disk, 1, new DownloadSpec { Encodings = ["int8"] }))[0];
        var downloads = await PrepareAsync(disk, plan);
        var name = downloads!.Whole[0].Artifact.Object;
        await disk.DeleteAsync(StoreNames.Downloads(Name, "v0", plan.Download!), CancellationToken.None);
        await disk.DeleteAsync(name, CancellationToken.None);
        await disk.PutBytesAsync(name, new byte[100], PutCondition.CreateOnce, CancellationToken.None);

        await Assert.ThrowsAsync<InvalidDataException>(() => PrepareAsync(disk, plan));
    }

    [Fact]
    public async Task PrepareAsync_ParentsDownloadsAreGone_BeginsANewChain()
    {
        var disk = new InMemoryObjectStore();
        var plans = await PublishAsync(disk, 2, new DownloadSpec { Encodings = ["float16", "delta"] });
        var first = await PrepareAsync(disk, plans[0]);
        await disk.DeleteAsync(first!.Whole[0].Artifact.Object, CancellationToken.None);

        var second = await PrepareAsync(disk, plans[1]);

        Assert.Empty(second!.Deltas);
        Assert.NotNull(second.Chain);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task PrepareAsync_MoreVersionsThanAreKept_OldDownloadsGoAndNoDocumentNamesThem(int kept)
    {
        var disk = new InMemoryObjectStore();
        var plans = await PublishAsync(disk, 5, new DownloadSpec { Encodings = ["float16", "delta"], DeltaVersions = kept });
        DownloadsDocument? last = null;
        foreach (var plan in plans)
        {
            last = await PrepareAsync(disk, plan);
        }

        Assert.Equal(kept, last!.Deltas.Count);
        Assert.All(last.Deltas, delta => Assert.NotNull(disk.Peek(delta.Artifact.Object)));
        Assert.DoesNotContain(disk.Names, name => name.StartsWith(StoreNames.Downloads(Name, "v0"), StringComparison.Ordinal));
        Assert.Equal(kept + 1, disk.Names.Count(name => name.Contains("/downloads/", StringComparison.Ordinal) && name.EndsWith(".json", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task PrepareAsync_BuffersAndIntegers_TravelExactly()
    {
        var disk = new InMemoryObjectStore();
        var model = Models.WithBatchNorm();
        var plan = await PublishAsync(disk, "v0", null, model, new DownloadSpec { Encodings = ["int8"] });

        var downloads = await PrepareAsync(disk, plan);

        var state = Decode(disk, downloads!.Whole[0].Artifact, plan, null, default);
        Assert.Equal(model.Buffers, state.Buffers);
        Assert.Equal(model.Integers, state.Integers);
        Assert.Equal(downloads.Whole[0].Result, Digest.Of(ModelStateFile.ToBytes(state)));
    }

    private static ModelState Decode(InMemoryObjectStore disk, StoredArtifact artifact, RoundPlan plan, ModelState? start, Digest startDigest) =>
        EncodedModelReader.Read(new MemoryStream(disk.Peek(artifact.Object)!), plan.Layout, plan.Base.Bytes, start, startDigest);

    private static Task<DownloadsDocument?> PrepareAsync(InMemoryObjectStore disk, RoundPlan plan) =>
        new DownloadPreparation(disk, new ModelCatalog(disk)).PrepareAsync(plan, CancellationToken.None);

    private static async Task<RoundPlan[]> PublishAsync(InMemoryObjectStore disk, int versions, DownloadSpec spec)
    {
        var plans = new RoundPlan[versions];
        var model = Models.Large(70_000, 300);
        for (var version = 0; version < versions; version++)
        {
            plans[version] = await PublishAsync(disk, $"v{version}", version == 0 ? null : $"v{version - 1}", model, spec);
            for (var i = 0; i < model.Values.Length; i++)
            {
                model.Values[i] += 0.01f * MathF.Sin(i + (7 * version)) + 0.001f;
            }
        }

        return plans;
    }

    private static async Task<RoundPlan> PublishAsync(InMemoryObjectStore disk, string version, string? parent, ModelState model, DownloadSpec spec)
    {
        var bytes = ModelStateFile.ToBytes(model);
        var weights = new StoredArtifact(StoreNames.Weights(Name, version), bytes.Length, Digest.Of(bytes));
        await disk.PutBytesAsync(weights.Object, bytes, PutCondition.CreateOnce, CancellationToken.None);
        await disk.CreateOnceAsync(
            StoreNames.Manifest(Name, version),
            new ModelManifest(
                Name, version, parent, null, null, 0, weights, null, null, model.Layout.Digest, null, null, null, 0, new Dictionary<string, double>()),
            StoreJson.Default.ModelManifest, CancellationToken.None);
        return new RoundPlan
        {
            Run = "run",
            Round = 1,
            Population = "default",
            Model = Name,
            BaseVersion = version,
            Base = weights,
            Layout = model.Layout.Digest,
            Parameters = model.Layout.ParameterCount,
            Buffers = model.Layout.BufferCount,
            Training = new TrainingSpec(),
            Aggregation = new AggregationSpec(),
            Optimizer = new OptimizerSpec(),
            Update = new UpdateSpec(),
            Seed = 0,
            Cohort = new CohortReference(0, default, 1),
            Quorum = 1,
            Minimum = 1,
            DeadlineSeconds = 1,
            ShardCoordinates = 1,
            RetainUpdates = false,
            Download = spec,
        };
    }
}
