using FedServerless.Activities.State;
using FedServerless.Model;
using FedServerless.Wire;
using FedServerless.Wire.Updates;

namespace FedServerless.LocalHost.Tests.Gateway;

public sealed class AdaptationTests
{
    private static readonly RunSpec Adaptive = RoundScene.Spec with
    {
        Adaptation = new AdaptationSpec { MinEpochs = 1, MaxEpochs = 50, MinBatchSize = 8, MaxBatchSize = 64, TargetSeconds = 100, MinIntervalSeconds = 60, MaxBytesPerDay = 1 << 20 },
    };

    private static readonly DeviceMeasurements Fast = new() { SecondsPerSample = 0.01, Samples = 100, MemoryBytes = 1L << 30 };

    private static readonly DeviceMeasurements Slow = Fast with { SecondsPerSample = 0.5 };

    [Fact]
    public async Task CheckIn_Measured_TrainsByThePolicy()
    {
        using var scene = await RoundScene.OpenAsync(spec: Adaptive);

        var lease = await LeaseAsync(scene, Slow);

        // 100 s of 50 s a pass, and memory for far more than 16 models of 15 parameters. 60 s are longer than a day's share of so few bytes.
        Assert.Equal(new LeaseChoice(2, 64, 60, 1 << 20), lease.Choice);
        Assert.Equal((2, 64), (lease.Training.Epochs, lease.Training.BatchSize));
    }

    [Fact]
    public async Task CheckIn_AgainWithOtherMeasurements_RepeatsTheChoice()
    {
        using var scene = await RoundScene.OpenAsync(spec: Adaptive);
        var first = await LeaseAsync(scene, Slow);

        Assert.Equal(first.Choice, (await LeaseAsync(scene, Fast)).Choice);

        Assert.Equal(first.Choice, (await LeaseAsync(scene, null)).Choice);
        var stored = await scene.Bench.Disk.GetAsync(StoreNames.Lease("r", 1, "alice"), StoreJson.Default.LeaseDocument, CancellationToken.None);
        Assert.Equal((first.Choice, Slow), (stored.Value.Choice, stored.Value.Measured));
    }

    [Fact]
    public async Task CheckIn_RunThatDoesNotAdapt_ChoosesAndStoresNothing()
    {
        using var scene = await RoundScene.OpenAsync();

        Assert.Null((await LeaseAsync(scene, Slow)).Choice);

        Assert.Null(await scene.Bench.Disk.HeadAsync(StoreNames.Lease("r", 1, "alice"), CancellationToken.None));
    }

    [Fact]
    public async Task CheckIn_MeasurementsBeyondBelief_AreRefusedAllAtOnce()
    {
        using var scene = await RoundScene.OpenAsync(spec: Adaptive);

        var answer = await CheckInAsync(scene, new DeviceMeasurements { UpBytesPerSecond = -1, SecondsPerSample = 1e300, Samples = long.MaxValue });

        Assert.Equal(400, answer.Status);
        Assert.Equal(
            ["measured.upBytesPerSecond", "measured.secondsPerSample", "measured.samples"], answer.Read(WireJson.Default.ProblemDetails).Problems!.Select(problem => problem.Field));
    }

    [Fact]
    public async Task Commit_ReceiptNamesAnotherChoice_IsRefused()
    {
        using var scene = await RoundScene.OpenAsync(spec: Adaptive);
        var lease = await LeaseAsync(scene, Slow);
        await scene.UploadAsync(scene.Alice);

        Assert.Equal(400, (await scene.CommitAsync(scene.Alice)).Status);
        Assert.Equal(400, (await scene.CommitAsync(scene.Alice, scene.Receipt("alice") with { Choice = lease.Choice! with { Epochs = 3 } })).Status);

        Assert.Equal(201, (await scene.CommitAsync(scene.Alice, scene.Receipt("alice") with { Choice = lease.Choice })).Status);
        Assert.Equal(200, (await scene.CommitAsync(scene.Alice, scene.Receipt("alice") with { Choice = lease.Choice })).Status);
    }

    [Fact]
    public async Task Commit_ChoiceInARunThatDoesNotAdapt_IsRefused()
    {
        using var scene = await RoundScene.OpenAsync();
        await scene.UploadAsync(scene.Alice);

        Assert.Equal(400, (await scene.CommitAsync(scene.Alice, scene.Receipt("alice") with { Choice = new LeaseChoice(1, 1, 0) })).Status);
    }

    [Theory]
    [InlineData(null, 256 << 10, 200)]
    [InlineData(null, (256 << 10) + 1, 400)]
    [InlineData(256 << 10, 256 << 10, 200)]
    [InlineData(256 << 10, (256 << 10) - 1, 400)]
    [InlineData(256 << 10, 1 << 20, 200)]
    [InlineData(256 << 10, (1 << 20) + 1, 400)]
    public async Task Ask_PartSize_IsWithinThePlansBounds(int? least, int partBytes, int status)
    {
        var update = new UpdateSpec { BlockCoordinates = 1024, PartBytes = least is null ? 256 << 10 : 1 << 20, MinPartBytes = least };
        using var scene = await RoundScene.OpenAsync(spec: RoundScene.Spec with { Update = update });

        Assert.Equal(status, (await scene.AskAsync(scene.Alice, scene.Announcement() with { PartBytes = partBytes })).Status);
    }

    [Fact]
    public async Task Commit_AnotherPartSizeThanAnnounced_IsRefused()
    {
        var update = new UpdateSpec { BlockCoordinates = 1024, PartBytes = 1 << 20, MinPartBytes = 256 << 10 };
        using var scene = await RoundScene.OpenAsync(spec: RoundScene.Spec with { Update = update });
        await scene.UploadAsync(scene.Alice);

        var answer = await scene.CommitAsync(scene.Alice, scene.Receipt("alice") with { PartBytes = 512 << 10 });

        Assert.Equal("partBytes", Assert.Single(answer.Read(WireJson.Default.ProblemDetails).Problems!).Field);
    }

    [Fact]
    public async Task RoundClients_RoundThatAdapts_ShowTheChoiceAndWhatItWasMadeFrom()
    {
        using var scene = await RoundScene.OpenAsync(spec: Adaptive);
        var lease = await LeaseAsync(scene, Slow);
        await scene.UploadAsync(scene.Alice);
        var receipt = scene.Receipt("alice") with { Choice = lease.Choice };
        Assert.Equal(201, (await scene.CommitAsync(scene.Alice, receipt)).Status);
        var accepted = new AcceptedDocument([new AcceptedUpdate("alice", receipt.HeaderDigest, 1, 1)], []);
        await scene.Bench.Disk.CreateOnceAsync(StoreNames.Accepted("r", 1), accepted, StoreJson.Default.AcceptedDocument, CancellationToken.None);

        var shown = Assert.Single((await scene.Bench.OperateAsync("listRoundClients", "runs/r/rounds/1/clients")).Read(WireJson.Default.ListingRoundClientView).Items);

        Assert.Equal((lease.Choice, Slow, "float32", receipt.Bytes), (shown.Choice, shown.Measured, shown.Codec, shown.Bytes!.Value));
    }

    // 86 400 s · (bytes down + bytes up) / bytes a day, by what this device is given: docs/concepts/adaptivity.md.
    [Theory]
    [InlineData("float32", false)]
    [InlineData("int8", false)]
    [InlineData("int8", true)]
    public async Task CheckIn_ModelTravelsEncoded_SpreadsTheBytesOfTheWayItIsGiven(string encoding, bool holds)
    {
        const int BytesADay = 1 << 20;
        using var scene = await RoundScene.OpenAsync(spec: RoundScene.Spec with
        {
            Download = new DownloadSpec { Encodings = [encoding] },
            Adaptation = new AdaptationSpec { MaxBytesPerDay = BytesADay },
        });
        Digest? held = null;
        if (holds)
        {
            var name = StoreNames.Downloads(scene.Plan.Model, scene.Plan.BaseVersion, scene.Plan.Download!);
            held = (await scene.Bench.Disk.GetAsync(name, StoreJson.Default.DownloadsDocument, CancellationToken.None)).Value.Whole[0].Result;
        }

        var request = new CheckInRequest(DeviceApi.Version, "test/1") { Reads = [encoding], Holds = held is { } digest ? [digest] : [] };
        var answer = await scene.Bench.CallAsync(scene.Alice, "checkIn", "check-in", request, WireJson.Default.CheckInRequest);
        var lease = answer.Read(WireJson.Default.CheckInResponse).Train!;

        var layout = ModelStateFile.Read(scene.Bench.Disk.Peek(scene.Plan.Base.Object)!).Layout;
        var shape = UpdateShape.Create(layout, scene.Plan.Update);
        var down = lease.Via is null ? lease.Base.Bytes : lease.Via.Sum(step => step.Bytes);
        Assert.Equal(holds, down == 0);
        Assert.Equal(86_400.0 * (down + shape.HeaderLength + shape.MaxPayloadLength) / BytesADay, lease.Choice!.RestSeconds, 1e-9);
    }

    private static async Task<TrainLease> LeaseAsync(RoundScene scene, DeviceMeasurements? measured) =>
        (await CheckInAsync(scene, measured)).Read(WireJson.Default.CheckInResponse).Train!;

    private static Task<Answer> CheckInAsync(RoundScene scene, DeviceMeasurements? measured) => scene.Bench.CallAsync(
        scene.Alice, "checkIn", "check-in", new CheckInRequest(DeviceApi.Version, "test/1") { Measured = measured }, WireJson.Default.CheckInRequest);
}
