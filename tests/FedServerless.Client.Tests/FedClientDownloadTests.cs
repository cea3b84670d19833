using System.Net;
using FedServerless.Client.Tests.Support;
using FedServerless.Wire;

namespace FedServerless.Client.Tests;

public sealed class FedClientDownloadTests
{
    [Theory]
    [InlineData(1000)]
    [InlineData(4096)]
    [InlineData(65_536)]
    [InlineData(65_537)]
    public async Task RunOnceAsync_ConnectionLostEveryFewBytes_FetchesEveryByteOnce(int every)
    {
        using var device = new Device(parameters: 30_000);
        device.Server.FaultAt = BreakUntilLast(device, every);

        await device.StepAsync();

        device.AssertCommitted();
        Assert.Equal(device.ModelBytes.Length, (await device.OnAsync()).BytesDown);
        Assert.Equal((device.ModelBytes.Length + every - 1) / every, device.Server.Log.Count(name => name == "GET /models/1"));
    }

    [Fact]
    public async Task RunOnceAsync_KilledWhileDownloading_ContinuesWhereItStopped()
    {
        using var device = new Device(parameters: 30_000);
        using var process = new CancellationTokenSource();
        device.Server.OnKill = process.Cancel;
        var gets = 0;
        device.Server.FaultAt = (_, name) => name != "GET /models/1" ? null : ++gets switch
        {
            1 => new Fault.BreakOff(50_000),
            2 => new Fault.Kill(After: false),
            _ => null,
        };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => device.StepAsync(process.Token));
        device.Off();

        await device.StepAsync();

        device.AssertCommitted();
        Assert.Equal(device.ModelBytes.Length - 50_000, (await device.OnAsync()).BytesDown);
    }

    [Fact]
    public async Task RunOnceAsync_StoreKnowsNoRanges_StartsOverAndFinishes()
    {
        using var device = new Device(parameters: 30_000);
        device.Server.HonourRanges = false;
        var gets = 0;
        device.Server.FaultAt = (_, name) => name == "GET /models/1" && ++gets < 4 ? new Fault.BreakOff(1000) : null;

        await device.StepAsync();

        device.AssertCommitted();
    }

    [Fact]
    public async Task RunOnceAsync_StoreNeverContinues_GivesUp()
    {
        using var device = new Device(parameters: 30_000);
        device.Server.HonourRanges = false;
        device.Server.FaultAt = (_, name) => name == "GET /models/1" ? new Fault.BreakOff(1000) : null;

        var step = await device.StepAsync();

        Assert.Contains("never continued it", step.Reason, StringComparison.Ordinal);
        Assert.True(device.Server.Log.Count < 20);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(1)]
    public async Task RunOnceAsync_AnnouncedLengthIsNotTheLease_GivesUpBeforeTheBody(int difference)
    {
        using var device = new Device();
        device.Offer(device.Lease with { Base = device.Lease.Base with { Bytes = device.ModelBytes.Length + difference } });

        var step = await device.StepAsync();

        Assert.Contains($"the store has a model of {device.ModelBytes.Length} bytes", step.Reason, StringComparison.Ordinal);
        Assert.Equal(0, (await device.OnAsync()).BytesDown);
    }

    [Fact]
    public async Task RunOnceAsync_EndlessBody_ReadsNoMoreThanTheLease()
    {
        using var device = new Device();
        device.Server.Rewrite = (name, response) =>
        {
            if (name == "GET /models/1")
            {
                response.Content = new StreamContent(new EndlessStream());
            }

            return response;
        };

        var step = await device.StepAsync();

        Assert.Contains("sends more than", step.Reason, StringComparison.Ordinal);
        Assert.All(device.FilesIn("models"), path => Assert.True(new FileInfo(path).Length <= device.ModelBytes.Length));
    }

    [Fact]
    public async Task RunOnceAsync_BytesAreNotTheDigest_TriesOnceMoreAndGivesUp()
    {
        using var device = new Device();
        device.Server.Models["/models/1"] = [.. device.ModelBytes.Reverse()];

        var step = await device.StepAsync();

        Assert.Contains("is not the one promised", step.Reason, StringComparison.Ordinal);
        Assert.Equal(2, device.Server.Log.Count(name => name == "GET /models/1"));
        Assert.Equal(0, device.Fits);
        Assert.Empty(device.FilesIn("models"));
    }

    [Fact]
    public async Task RunOnceAsync_BytesAreNotAModel_GivesUp()
    {
        using var device = new Device();
        byte[] garbage = [1, 2, 3, 4, 5, 6, 7, 8, 9];
        device.Server.Models["/models/1"] = garbage;
        device.Offer(device.Lease with { Base = device.Lease.Base with { Bytes = garbage.Length, Digest = Digest.Of(garbage) } });

        var step = await device.StepAsync();

        Assert.Contains("not a safetensors file", step.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RunOnceAsync_LayoutIsNotTheLease_GivesUp()
    {
        using var device = new Device();
        device.Offer(device.Lease with { Base = device.Lease.Base with { LayoutDigest = Digest.Of([1]) } });

        var step = await device.StepAsync();

        Assert.Contains("tensor layout", step.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RunOnceAsync_NextRoundSameModel_DownloadsNothing()
    {
        using var device = new Device();
        device.Offer(device.Lease, device.Lease with { Round = 2 });
        await device.StepAsync();

        await device.StepAsync();

        Assert.Single(device.Server.Log, "GET /models/1");
        Assert.True(device.Events.OfType<Downloaded>().Last().FromCache);
    }

    [Fact]
    public async Task RunOnceAsync_CachedModelDamaged_DownloadsItAgain()
    {
        using var device = new Device();
        device.Offer(device.Lease, device.Lease with { Round = 2 });
        await device.StepAsync();
        var path = Assert.Single(device.FilesIn("models"));
        var bytes = await File.ReadAllBytesAsync(path);
        bytes[^1] ^= 1;
        await File.WriteAllBytesAsync(path, bytes);
        device.Server.Receipts.Clear();

        var step = await device.StepAsync();

        Assert.Equal(FedStepOutcome.Committed, step.Outcome);
        Assert.Equal(2, device.Server.Log.Count(name => name == "GET /models/1"));
        Assert.Equal(device.ModelBytes, await File.ReadAllBytesAsync(path));
    }

    [Fact]
    public async Task RunOnceAsync_ManyVersions_KeepsTheLastUsed()
    {
        using var device = new Device();
        device.Trainer = FedTrainer.Create(_ => new FitResult(1));
        var digests = new List<string>();
        for (var round = 1; round <= 4; round++)
        {
            device.Start.Values[0] = round;
            var bytes = Model.ModelStateFile.ToBytes(device.Start);
            digests.Add(Digest.Of(bytes).ToString());
            device.Server.Models[$"/models/{round}"] = bytes;
            device.Offer(device.Lease with
            {
                Round = round,
                Base = device.Lease.Base with { Url = $"/models/{round}", Digest = Digest.Of(bytes) },
            });
            device.Server.Receipts.Clear();
            device.Clock.Advance(TimeSpan.FromMinutes(1));
            await device.StepAsync();
        }

        Assert.Equal(digests[2..].Order(StringComparer.Ordinal), device.FilesIn("models").Select(Path.GetFileName));
    }

    [Fact]
    public async Task RunOnceAsync_UrlExpired_AsksForAFreshOneAndContinues()
    {
        using var device = new Device(parameters: 30_000);
        device.Server.Models["/models/fresh"] = device.ModelBytes;
        device.Offer(device.Lease, device.Lease with { Base = device.Lease.Base with { Url = "/models/fresh" } });
        var gets = 0;
        device.Server.FaultAt = (_, name) => name != "GET /models/1" ? null
            : ++gets == 1 ? new Fault.BreakOff(70_000)
            : new Fault.Answer(HttpStatusCode.Forbidden);

        await device.StepAsync();

        device.AssertCommitted();
        Assert.Equal(device.ModelBytes.Length, (await device.OnAsync()).BytesDown);
        Assert.Equal(3, device.Server.Log.Count(name => name == "POST check-in"));
    }

    [Fact]
    public async Task RunOnceAsync_EveryUrlExpired_GivesUp()
    {
        using var device = new Device();
        device.Server.Models.Clear();

        var step = await device.StepAsync();

        Assert.Contains("403 to 4 URLs", step.Reason, StringComparison.Ordinal);
        Assert.Equal(4, device.Server.Log.Count(name => name == "GET /models/1"));
    }

    [Fact]
    public async Task RunOnceAsync_UrlExpiredAndWorkGone_GivesUp()
    {
        using var device = new Device();
        device.Server.Models.Clear();
        device.Offer(device.Lease, null);

        var step = await device.StepAsync();

        Assert.Equal("the work is no longer on offer", step.Reason);
    }

    private static Func<int, string, Fault?> BreakUntilLast(Device device, int every)
    {
        var left = device.ModelBytes.Length;
        return (_, name) =>
        {
            if (name != "GET /models/1")
            {
                return null;
            }

            var whole = left <= every;
            left -= every;
            return whole ? null : new Fault.BreakOff(every);
        };
    }

    private sealed class EndlessStream : MemoryStream
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            ValueTask.FromResult(buffer.Length);

        public override bool CanSeek => false;
    }
}
