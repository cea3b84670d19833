using FedServerless.Activities.State;
using FedServerless.Model;
using FedServerless.Storage;
using FedServerless.Wire;

namespace FedServerless.LocalHost.Tests.Gateway;

public sealed class ModelTests : IDisposable
{
    private readonly GatewayBench _bench = new();

    private static byte[] File => ModelStateFile.ToBytes(Architectures.Initialize(RoundScene.Spec.Architecture!, 1));

    [Fact]
    public async Task Create_UploadedFile_IsServed()
    {
        var digest = await UploadAsync(File);

        var created = await CreateAsync(digest);

        var version = created.Read(WireJson.Default.VersionView);
        Assert.Equal((201, $"init-{digest.ToString()[..12]}", digest, true), (created.Status, version.Version, version.Weights.Digest, version.Current));
        Assert.Equal(version.Version, (await _bench.OperateAsync("getModel", "models/m")).Read(WireJson.Default.VersionView).Version);
        Assert.Single((await _bench.OperateAsync("listModels", "models")).Read(WireJson.Default.ListingVersionView).Items);
        Assert.DoesNotContain(StoreNames.ModelUpload("m", digest), _bench.Disk.Names);
    }

    [Fact]
    public async Task Create_Again_RepeatsTheAnswer()
    {
        var digest = await UploadAsync(File);
        await CreateAsync(digest);

        Assert.Equal(200, (await CreateAsync(digest)).Status);
    }

    [Fact]
    public async Task Create_ModelExists_Conflicts()
    {
        await CreateAsync(await UploadAsync(File));
        var other = await UploadAsync(ModelStateFile.ToBytes(Architectures.Initialize(RoundScene.Spec.Architecture! with { Inputs = 5 }, 1)));

        var answer = await CreateAsync(other);

        Assert.Equal((409, "/problems/model-exists"), (answer.Status, answer.Problem().Type));
    }

    [Fact]
    public async Task Create_NotUploaded_IsNotFound() => Assert.Equal(404, (await CreateAsync(Digest.Of([1]))).Status);

    [Fact]
    public async Task Create_OtherBytesThanAnnounced_AreThrownAway()
    {
        var digest = Digest.Of(File);
        await _bench.Disk.PutBytesAsync(StoreNames.ModelUpload("m", digest), new byte[100], PutCondition.CreateOnce, CancellationToken.None);

        var answer = await CreateAsync(digest);

        Assert.Equal((422, "/problems/invalid-model"), (answer.Status, answer.Problem().Type));
        Assert.DoesNotContain(_bench.Disk.Names, name => !name.StartsWith(StoreNames.Audit, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Create_NotSafetensors_IsRefused() => Assert.Equal(422, (await CreateAsync(await UploadAsync(new byte[64]))).Status);

    [Theory]
    [InlineData(float.NaN, 0, "fc1.weight")]
    [InlineData(float.PositiveInfinity, 11, "fc1.weight")]
    [InlineData(float.NegativeInfinity, 14, "fc1.bias")]
    public async Task Create_ValueNotFinite_IsRefusedWithTheTensor(float value, int position, string tensor)
    {
        var state = Architectures.Initialize(RoundScene.Spec.Architecture!, 1);
        var file = ModelStateFile.ToBytes(state);
        BitConverter.TryWriteBytes(file.AsSpan(file.Length - (state.Values.Length * sizeof(float)) + (position * sizeof(float))), value);

        var answer = await CreateAsync(await UploadAsync(file));

        Assert.Equal((422, "/problems/invalid-model"), (answer.Status, answer.Problem().Type));
        Assert.Contains(tensor, answer.Problem().Detail, StringComparison.Ordinal);
        Assert.Equal(404, (await _bench.OperateAsync("getModel", "models/m")).Status);
    }

    [Fact]
    public async Task Create_AnotherOrder_SaysWhatWritesTheRightOne()
    {
        // A buffer between two parameters: the flat vector is not one range of the file.
        const string Json = """{"__metadata__":{"fed.role.b":"buffer"},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]},"c":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}""";
        byte[] file = [.. BitConverter.GetBytes((long)Json.Length), .. System.Text.Encoding.UTF8.GetBytes(Json), .. new byte[12]];

        var answer = await CreateAsync(await UploadAsync(file));

        Assert.Equal(422, answer.Status);
        Assert.Contains("fed model put", answer.Problem().Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(7, 400)]
    [InlineData(8, 200)]
    public async Task Announce_Size_IsBounded(long bytes, int status)
    {
        var answer = await _bench.OperateAsync(
            "announceModel", "models/m/uploads", new ModelUploadRequest(Digest.Of([1]), bytes), WireJson.Default.ModelUploadRequest);

        Assert.Equal(status, answer.Status);
    }

    [Fact]
    public async Task RollBack_EarlierVersion_MovesThePointer()
    {
        var digest = await UploadAsync(File);
        var first = (await CreateAsync(digest)).Read(WireJson.Default.VersionView).Version;
        var manifest = (await _bench.Disk.GetAsync(StoreNames.Manifest("m", first), StoreJson.Default.ModelManifest, CancellationToken.None)).Value;
        var next = await _bench.Disk.CreateOnceAsync(
            StoreNames.Manifest("m", "r-r1"), manifest with { Version = "r-r1", Parent = first, Run = "r", Round = 1 }, StoreJson.Default.ModelManifest, CancellationToken.None);
        await _bench.Disk.PutAsync(
            StoreNames.ModelPointer("m"), new PointerDocument("r-r1", next.Digest), StoreJson.Default.PointerDocument, PutCondition.Overwrite, CancellationToken.None);

        var answer = await RollBackAsync(first);

        Assert.Equal((200, first), (answer.Status, answer.Read(WireJson.Default.VersionView).Version));
        var versions = (await _bench.OperateAsync("listVersions", "models/m/versions")).Read(WireJson.Default.ListingVersionView).Items;
        Assert.Equal([(first, true), ("r-r1", false)], versions.Select(version => (version.Version, version.Current)));
        Assert.Equal("r", (await _bench.OperateAsync("getVersion", "models/m/versions/r-r1")).Read(WireJson.Default.VersionView).Run);
    }

    [Theory]
    [InlineData(64, "-r123456", 200)]
    [InlineData(65, "-r1", 404)]
    [InlineData(64, "-r1234567", 404)]
    [InlineData(64, "-r", 404)]
    public async Task Version_OfARunWithALongName_CanBeNamed(int length, string suffix, int status)
    {
        var first = (await CreateAsync(await UploadAsync(File))).Read(WireJson.Default.VersionView).Version;
        var manifest = (await _bench.Disk.GetAsync(StoreNames.Manifest("m", first), StoreJson.Default.ModelManifest, CancellationToken.None)).Value;
        var version = new string('r', length) + suffix;
        await _bench.Disk.CreateOnceAsync(StoreNames.Manifest("m", version), manifest with { Version = version }, StoreJson.Default.ModelManifest, CancellationToken.None);

        Assert.Equal(status, (await _bench.OperateAsync("getVersion", $"models/m/versions/{version}")).Status);
        Assert.Equal(status == 404 ? 400 : 200, (await RollBackAsync(version)).Status);
    }

    [Theory]
    [InlineData("nope", 404)]
    [InlineData("../x", 400)]
    public async Task RollBack_NoSuchVersion_IsRefused(string version, int status)
    {
        await CreateAsync(await UploadAsync(File));

        Assert.Equal(status, (await RollBackAsync(version)).Status);
    }

    [Theory]
    [InlineData("getModel", "models/m")]
    [InlineData("listVersions", "models/m/versions")]
    [InlineData("getVersion", "models/m/versions/v")]
    [InlineData("getModel", "models/M")]
    public async Task Get_NoSuchModel_IsNotFound(string route, string path) => Assert.Equal(404, (await _bench.OperateAsync(route, path)).Status);

    public void Dispose() => _bench.Dispose();

    private async Task<Digest> UploadAsync(byte[] file)
    {
        var digest = Digest.Of(file);
        var answer = await _bench.OperateAsync("announceModel", "models/m/uploads", new ModelUploadRequest(digest, file.Length), WireJson.Default.ModelUploadRequest);
        Assert.Equal(200, answer.Status);
        await _bench.Disk.PutBytesAsync(RoundScene.NameOf(answer.Read(WireJson.Default.PartUpload)), file, PutCondition.CreateOnce, CancellationToken.None);
        return digest;
    }

    private Task<Answer> CreateAsync(Digest digest) =>
        _bench.OperateAsync("createModel", "models/m", new CreateModelRequest(digest), WireJson.Default.CreateModelRequest);

    private Task<Answer> RollBackAsync(string version) =>
        _bench.OperateAsync("rollBackModel", "models/m/rollback", new RollbackRequest(version), WireJson.Default.RollbackRequest);
}
