using System.Buffers.Binary;
using System.Net;
using FedServerless.Client.Rounds;
using FedServerless.Client.Tests.Support;
using FedServerless.Compression;
using FedServerless.Model;
using FedServerless.Wire;
using FedServerless.Wire.Downloads;

namespace FedServerless.Client.Tests;

/// <summary>Models that travel encoded, from servers that err or lie: what cannot be had one way is had another, and nothing is believed.</summary>
public sealed class FedClientDownlinkTests
{
    private const string Middle = "GET /models/delta1";

    [Fact]
    public async Task RunOnceAsync_HoldsAnEarlierVersion_DownloadsTheDeltasAlone()
    {
        using var device = new Device();
        var downlink = new Downlink(device);
        downlink.Hold(0);

        await device.StepAsync();

        device.AssertCommitted();
        Assert.Equal([downlink.Digests[0]], downlink.Asked[0].Holds);
        Assert.Equal(downlink.Deltas.Sum(delta => delta.Length), (await device.OnAsync()).BytesDown);
        Assert.DoesNotContain(device.FilesIn("models"), path => Path.HasExtension(path));
    }

    [Fact]
    public async Task RunOnceAsync_HoldsNothing_DownloadsTheEncodedModel()
    {
        using var device = new Device();
        var downlink = new Downlink(device);

        await device.StepAsync();

        device.AssertCommitted();
        Assert.Equal(downlink.Whole.Length, (await device.OnAsync()).BytesDown);
    }

    [Fact]
    public async Task RunOnceAsync_HoldsTheModel_DownloadsNothing()
    {
        using var device = new Device();
        new Downlink(device).Hold(2);

        await device.StepAsync();

        device.AssertCommitted();
        Assert.Equal(0, (await device.OnAsync()).BytesDown);
    }

    [Theory]
    [InlineData(HttpStatusCode.Forbidden)]
    [InlineData(HttpStatusCode.NotFound)]
    [InlineData(HttpStatusCode.Gone)]
    public async Task RunOnceAsync_StepInTheMiddleIsGone_TakesTheWholeModel(HttpStatusCode status)
    {
        using var device = new Device();
        var downlink = new Downlink(device);
        downlink.Hold(0);
        device.Server.FaultAt = (_, name) => name == Middle ? new Fault.Answer(status) : null;

        await device.StepAsync();

        AssertWholeTaken(device, downlink);
    }

    [Fact]
    public async Task RunOnceAsync_StepsUrlExpiredOnce_ContinuesWithTheFreshOne()
    {
        using var device = new Device();
        var downlink = new Downlink(device);
        downlink.Hold(0);
        var gets = 0;
        device.Server.FaultAt = (_, name) => name == Middle && ++gets == 1 ? new Fault.Answer(HttpStatusCode.Forbidden) : null;

        await device.StepAsync();

        device.AssertCommitted();
        Assert.Equal(downlink.Deltas.Sum(delta => delta.Length), (await device.OnAsync()).BytesDown);
    }

    [Fact]
    public async Task RunOnceAsync_WayIsNoLongerOnOffer_TakesTheOneThatIs()
    {
        using var device = new Device();
        var downlink = new Downlink(device);
        downlink.Hold(0);
        device.Server.FaultAt = (_, name) =>
        {
            if (name != Middle)
            {
                return null;
            }

            device.Server.OnCheckIn = request => downlink.Answer(request with { Holds = null });
            return new Fault.Answer(HttpStatusCode.NotFound);
        };

        await device.StepAsync();

        device.AssertCommitted();
        Assert.Contains("GET " + Downlink.Whole16, device.Server.Log);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(1)]
    [InlineData(30_000)]
    public async Task RunOnceAsync_StepIsAnnouncedInAnotherLength_TakesTheWholeModel(int difference)
    {
        using var device = new Device(parameters: 30_000);
        var downlink = new Downlink(device);
        downlink.Hold(0);
        downlink.Tamper = via => [.. via.Select(step => step.Start == downlink.Digests[1] ? step with { Bytes = step.Bytes + difference } : step)];

        await device.StepAsync();

        AssertWholeTaken(device, downlink);
    }

    [Fact]
    public async Task RunOnceAsync_StepsBodyIsEndless_ReadsNoMoreThanTheLeaseAndTakesTheWholeModel()
    {
        using var device = new Device();
        var downlink = new Downlink(device);
        downlink.Hold(0);
        device.Server.Rewrite = (name, response) =>
        {
            if (name == Middle)
            {
                response.Content = new StreamContent(new EndlessStream());
            }

            return response;
        };

        await device.StepAsync();

        AssertWholeTaken(device, downlink);
        Assert.InRange((await device.OnAsync()).BytesDown, 1, device.ModelBytes.Length + (128 << 10));
    }

    // Neither length nor range: the store sends less than was announced, every time.
    [Fact]
    public async Task RunOnceAsync_StepsBodyIsAlwaysShort_TakesTheWholeModel()
    {
        using var device = new Device();
        var downlink = new Downlink(device);
        downlink.Hold(0);
        device.Server.HonourRanges = false;
        device.Server.Rewrite = (name, response) =>
        {
            if (name == Middle)
            {
                response.Content = new StreamContent(new UnseekableStream(downlink.Deltas[1][..^1]));
            }

            return response;
        };

        await device.StepAsync();

        AssertWholeTaken(device, downlink);
    }

    [Fact]
    public async Task RunOnceAsync_StepIsNotItsDigest_TriesOnceMoreAndTakesTheWholeModel()
    {
        using var device = new Device();
        var downlink = new Downlink(device);
        downlink.Hold(0);
        device.Server.Rewrite = (name, response) =>
        {
            if (name == Middle)
            {
                response.Content = new ByteArrayContent([.. downlink.Deltas[1].Reverse()]);
            }

            return response;
        };

        await device.StepAsync();

        AssertWholeTaken(device, downlink);
        Assert.Equal(2, device.Server.Log.Count(name => name == Middle));
    }

    public static TheoryData<string> Unusable => ["magic", "version", "unknown codec", "sparse codec", "flags", "block size", "model length", "start", "cut", "longer", "a block"];

    [Theory]
    [MemberData(nameof(Unusable))]
    public async Task RunOnceAsync_StepHasItsDigestAndIsNotUsable_TakesTheWholeModel(string what)
    {
        using var device = new Device();
        var downlink = new Downlink(device);
        downlink.Hold(0);
        downlink.Deltas[1] = Damage(downlink.Deltas[1], what);

        await device.StepAsync();

        AssertWholeTaken(device, downlink);
    }

    // Every file is whole and usable; what comes out of them is another model.
    [Fact]
    public async Task RunOnceAsync_DeltasMakeAnotherModel_TakesTheWholeModel()
    {
        using var device = new Device();
        var downlink = new Downlink(device);
        downlink.Hold(0);
        var other = device.Start.Clone();
        other.Values[7]++;
        downlink.Deltas[1] = Downlink.Encode(downlink.Versions[1], other);

        await device.StepAsync();

        AssertWholeTaken(device, downlink);
    }

    [Fact]
    public async Task RunOnceAsync_NothingEncodedIsTrue_TakesTheModelAsItIs()
    {
        using var device = new Device();
        var downlink = new Downlink(device) { Whole = [1, 2, 3] };
        downlink.Hold(0);
        downlink.Deltas[0] = [4, 5, 6];

        await device.StepAsync();

        device.AssertCommitted();
        Assert.Equal([DownloadEncodings.Names, ["float32", "float16", "int8"], []], downlink.Asked.Select(asked => asked.Reads));
        Assert.Contains("GET /models/1", device.Server.Log);
    }

    [Fact]
    public async Task RunOnceAsync_NothingAtAllIsTrue_GivesUpAndKeepsNothingOfIt()
    {
        using var device = new Device();
        var downlink = new Downlink(device) { Whole = [1, 2, 3] };
        var held = downlink.Hold(0);
        downlink.Deltas[0] = [4, 5, 6];
        device.Server.Models["/models/1"] = [.. device.ModelBytes.Reverse()];

        var step = await device.StepAsync();

        Assert.Equal(FedStepOutcome.GaveUp, step.Outcome);
        Assert.Contains("is not the one promised", step.Reason, StringComparison.Ordinal);
        Assert.Equal([held], device.FilesIn("models"));
        Assert.Equal(0, device.Fits);
        Assert.True(device.Server.Log.Count < 20);
    }

    // The chain's model is no more to be had, and the whole one is another decoding of the same version: trained from, and named.
    [Fact]
    public async Task RunOnceAsync_WholeModelIsAnotherDecoding_TrainsFromThatAndNamesIt()
    {
        using var device = new Device();
        var downlink = new Downlink(device);
        downlink.Hold(0);
        var exact = device.Start.Clone();
        exact.Values[7] += 0.125f;
        var bytes = ModelStateFile.ToBytes(exact);
        device.Server.Models["/models/exact"] = bytes;
        device.Server.FaultAt = (_, name) => name == Middle ? new Fault.Answer(HttpStatusCode.NotFound) : null;
        device.Server.OnCheckIn = request => new CheckInResponse
        {
            Train = request.Reads!.Contains(DownloadEncodings.Delta)
                ? downlink.Lease(request)
                : device.Lease with { Base = device.Lease.Base with { Url = "/models/exact", Digest = Digest.Of(bytes) } },
        };
        float[]? trained = null;
        device.Trainer = FedTrainer.Create(context =>
        {
            trained = [.. context.Model.Values];
            return new FitResult(1);
        });

        await device.UntilCommittedAsync(most: 2);

        Assert.Equal(exact.Values, trained);
        Assert.Equal(Digest.Of(bytes), device.Server.Receipts[0].BaseDigest);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task RunOnceAsync_AWayFailedInTheRoundBefore_AsksForDeltasAgain(bool idle)
    {
        using var device = new Device();
        var downlink = new Downlink(device);
        downlink.Hold(0);
        downlink.Deltas[0] = [4, 5, 6];
        await device.StepAsync();
        downlink.IsIdle = idle;
        device.Lease = device.Lease with { Round = 2 };
        await device.StepAsync();
        downlink.IsIdle = false;

        await device.StepAsync();

        Assert.NotEqual(DownloadEncodings.Names, downlink.Asked[^2].Reads);
        Assert.Equal(DownloadEncodings.Names, downlink.Asked[^1].Reads);
    }

    [Fact]
    public async Task RunOnceAsync_HeldVersionIsDamaged_DropsItAndTakesTheWholeModel()
    {
        using var device = new Device();
        var downlink = new Downlink(device);
        var path = downlink.Hold(0);
        var bytes = await File.ReadAllBytesAsync(path);
        bytes[^1] ^= 1;
        await File.WriteAllBytesAsync(path, bytes);

        await device.StepAsync();

        AssertWholeTaken(device, downlink);
        Assert.False(File.Exists(path));
        Assert.Empty(downlink.Asked[^1].Holds!);
        Assert.Equal(DownloadEncodings.Names, downlink.Asked[^1].Reads);
    }

    [Fact]
    public async Task RunOnceAsync_DeltaOnAModelOfAnotherLayout_TakesTheWholeModel()
    {
        using var device = new Device();
        using var other = new Device(parameters: 20);
        var downlink = new Downlink(device);
        Downlink.Hold(device, other.ModelBytes);
        var start = Digest.Of(other.ModelBytes);
        var file = Downlink.Encode(other.Start, other.Start);
        device.Server.OnCheckIn = request => downlink.Lease(request) is var lease && request.Reads!.Contains(DownloadEncodings.Delta)
            ? new CheckInResponse { Train = lease with { Via = [downlink.Step("/models/other", file, start, lease.Base.Digest)] } }
            : downlink.Answer(request);

        await device.StepAsync();

        device.AssertCommitted();
        Assert.Contains("GET " + Downlink.Whole16, device.Server.Log);
    }

    [Fact]
    public async Task RunOnceAsync_ServerTakesForHeldWhatIsNot_GivesUpAfterAFewQuestions()
    {
        using var device = new Device();
        var downlink = new Downlink(device);
        downlink.Tamper = _ => [];

        var step = await device.StepAsync();

        Assert.Contains("takes for held", step.Reason, StringComparison.Ordinal);
        Assert.Equal(ModelCache.MaxWays, downlink.Asked.Count);
        Assert.Equal(0, device.Fits);
    }

    [Fact]
    public async Task RunOnceAsync_WayGoesInACircleFirst_EndsWithTheModelAndFetchesAFileOnce()
    {
        using var device = new Device();
        var downlink = new Downlink(device);
        downlink.Hold(0);
        var back = Downlink.Encode(downlink.Versions[1], downlink.Versions[0]);
        downlink.Tamper = via => via.Count < 2 ? via : [via[0], downlink.Step("/models/back", back, downlink.Digests[1], downlink.Digests[0]), .. via];

        await device.StepAsync();

        device.AssertCommitted();
        Assert.Single(device.Server.Log, "GET /models/delta0");
        Assert.DoesNotContain(device.FilesIn("models"), path => Path.HasExtension(path));
    }

    public static TheoryData<string, string> Illegal => new()
    {
        { "too many", "at most 32" },
        { "a thousand", "at most 32" },
        { "none", "via" },
        { "negative", "via[0].bytes" },
        { "empty", "via[0].bytes" },
        { "huge", "via[1].bytes" },
        { "more than the model", "bytes" },
        { "does not follow", "via[1].start" },
        { "duplicate", "via[1].start" },
        { "starts at nothing", "via[1].start" },
        { "leads elsewhere", "one to the base" },
        { "no url", "via[0].url" },
        { "long url", "via[0].url" },
    };

    [Theory]
    [MemberData(nameof(Illegal))]
    public async Task RunOnceAsync_WayIsIllegal_IsRefusedBeforeAnythingIsDone(string what, string named)
    {
        using var device = new Device();
        var downlink = new Downlink(device);
        downlink.Hold(0);
        downlink.Tamper = via => Bend(device, via, what);

        var step = await device.StepAsync();

        Assert.Equal(FedStepOutcome.GaveUp, step.Outcome);
        Assert.Contains("lease is not usable", step.Reason, StringComparison.Ordinal);
        Assert.Contains(named, step.Reason, StringComparison.Ordinal);
        Assert.DoesNotContain(device.Server.Log, name => name.StartsWith("GET", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("file:///etc/passwd")]
    [InlineData("//elsewhere.test/x")]
    [InlineData("/\\elsewhere.test/x")]
    [InlineData("http://user:secret@fed.test:8080/x")]
    [InlineData("../../identity.json")]
    public async Task RunOnceAsync_StepLeadsWhereADeviceMustNotGo_TakesTheWholeModel(string url)
    {
        using var device = new Device();
        var downlink = new Downlink(device);
        downlink.Hold(0);
        downlink.Tamper = via => via.Count < 2 ? via : [via[0], via[1] with { Url = url }];

        await device.StepAsync();

        AssertWholeTaken(device, downlink);
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(1, false)]
    public void Train_FilesOfAWayAroundTheirLimit_AreRefusedPastIt(int over, bool isLegal)
    {
        using var device = new Device();
        var downlink = new Downlink(device);
        var lease = downlink.Lease(new CheckInRequest(1, "test") { Holds = [downlink.Digests[0]], Reads = DownloadEncodings.Names });
        var first = lease.Via![0] with { Bytes = lease.Base.Bytes };
        lease = lease with { Via = [first, lease.Via[1] with { Bytes = LeaseCheck.MostBytesOfWay(lease.Base.Bytes) - lease.Base.Bytes + over }] };

        var problem = Record.Exception(() => LeaseCheck.Train(lease, long.MaxValue));

        Assert.Equal(isLegal, problem is null);
    }

    // Nothing to encode but much to hash: buffers travel as they are.
    [Theory]
    [InlineData(1, 0)]
    [InlineData(0, 20_000_000)]
    [InlineData(1, 20_000_000)]
    public void MostBytesOfWay_ModelThatGrowsWhenEncoded_Admits(int parameters, int buffers)
    {
        var layout = TensorLayout.Create(
        [
            .. parameters > 0 ? [new TensorSpec("w", [parameters], TensorRole.Parameter)] : Array.Empty<TensorSpec>(),
            .. buffers > 0 ? [new TensorSpec("b", [buffers], TensorRole.Buffer)] : Array.Empty<TensorSpec>(),
        ]);
        var model = CanonicalModelFile.Create(layout).Length;
        var encoded = new EncodedModelShape(layout, UpdateCodecs.All.Get(UpdateCodecs.Int8)).Length;

        Assert.InRange(encoded, model + 1, LeaseCheck.MostBytesOfWay(model));
    }

    [Theory]
    [InlineData(DeviceApi.MaxModelSteps - 1, true)]
    [InlineData(DeviceApi.MaxModelSteps, true)]
    [InlineData(DeviceApi.MaxModelSteps + 1, false)]
    public void Train_StepsAroundTheirLimit_AreRefusedPastIt(int count, bool isLegal)
    {
        using var device = new Device();
        var digest = device.Lease.Base.Digest;
        var lease = device.Lease with { Via = [.. Enumerable.Repeat(new ModelStep("/x", 1, digest, digest, digest), count)] };

        Assert.Equal(isLegal, Record.Exception(() => LeaseCheck.Train(lease, long.MaxValue)) is null);
    }

    // A server that names a new model each time and never lets one finish must not fill the disk.
    [Fact]
    public async Task RunOnceAsync_NoDownloadEverFinishes_KeepsAFewUnfinishedOnes()
    {
        using var device = new Device(parameters: 30_000);
        for (var round = 1; round <= 6; round++)
        {
            var digest = Digest.Of([(byte)round]);
            device.Offer(device.Lease with { Round = round, Base = device.Lease.Base with { Digest = digest } });
            var gets = 0;
            device.Server.FaultAt = (_, name) => name == "GET /models/1" ? ++gets == 1 ? new Fault.BreakOff(1000) : new Fault.Answer(HttpStatusCode.Forbidden) : null;
            await device.StepAsync();
        }

        Assert.Equal(device.Options.CachedModels + 1, device.FilesIn("models").Length);
    }

    private static void AssertWholeTaken(Device device, Downlink downlink)
    {
        device.AssertCommitted();
        Assert.Single(device.Server.Log, "GET " + Downlink.Whole16);
        Assert.Empty(device.Events.OfType<GaveUp>());
        Assert.Contains(device.Events.OfType<Retrying>(), retry => retry.Operation == "model");
        Assert.DoesNotContain(device.FilesIn("models"), path => Path.HasExtension(path));
        Assert.Equal(device.ModelBytes, File.ReadAllBytes(device.FilesIn("models").Single(path => Path.GetFileName(path) == downlink.Digests[2].ToString())));
    }

    private static IReadOnlyList<ModelStep> Bend(Device device, IReadOnlyList<ModelStep> via, string what) => what switch
    {
        "too many" => [.. Enumerable.Repeat(via[0] with { Start = via[0].Result }, DeviceApi.MaxModelSteps), .. via],
        "a thousand" => [.. Enumerable.Repeat(via[0] with { Start = via[0].Result }, 1000), .. via],
        "none" => [via[0], null!],
        "negative" => [via[0] with { Bytes = -1 }, via[1]],
        "empty" => [via[0] with { Bytes = 0 }, via[1]],
        "huge" => [via[0], via[1] with { Bytes = long.MaxValue }],
        "more than the model" => [via[0], via[1] with { Bytes = LeaseCheck.MostBytesOfWay(device.ModelBytes.Length) }],
        "does not follow" => [via[0], via[1] with { Start = via[0].Start }],
        "duplicate" => [via[0], via[0], via[1]],
        "starts at nothing" => [via[0], via[1] with { Start = null }],
        "leads elsewhere" => [via[0], via[1] with { Result = via[0].Result }],
        "no url" => [via[0] with { Url = "" }, via[1]],
        "long url" => [via[0] with { Url = "/" + new string('x', 8192) }, via[1]],
        _ => throw new ArgumentOutOfRangeException(nameof(what)),
    };

    private static byte[] Damage(byte[] file, string what)
    {
        byte[] damaged = [.. file];
        switch (what)
        {
            case "magic":
                damaged[3] = (byte)'2';
                break;
            case "version":
                damaged[4] = 2;
                break;
            case "unknown codec":
                damaged[6] = 99;
                break;
            case "sparse codec":
                damaged[6] = UpdateCodecs.All.Get(UpdateCodecs.TopK).Id;
                break;
            case "flags":
                damaged[7] = 2;
                break;
            case "block size":
                BinaryPrimitives.WriteUInt32LittleEndian(damaged.AsSpan(8), uint.MaxValue);
                break;
            case "model length":
                BinaryPrimitives.WriteUInt64LittleEndian(damaged.AsSpan(16), ulong.MaxValue);
                break;
            case "start":
                damaged[24] ^= 1;
                break;
            case "cut":
                return damaged[..^1];
            case "longer":
                return [.. damaged, 0];
            case "a block":
                damaged[100] ^= 1;
                break;
        }

        return damaged;
    }

    private sealed class EndlessStream : MemoryStream
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            ValueTask.FromResult(buffer.Length);

        public override bool CanSeek => false;
    }

    private sealed class UnseekableStream(byte[] content) : MemoryStream(content)
    {
        public override bool CanSeek => false;
    }
}
