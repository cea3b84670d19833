using FedServerless.Client.Tests.Support;

namespace FedServerless.Client.Tests;

/// <summary>Putting a model together, interrupted: by death, by a full disk, by a clock. The next try ends as if nothing had happened.</summary>
public sealed class FedClientDownlinkCrashTests
{
    private const int FullDisk = unchecked((int)0x80070070);

    [Fact]
    public async Task RunOnceAsync_KilledAtEachStepOfAssembly_TheNextStartRepairs()
    {
        var steps = await StepsAsync();
        for (var at = 1; at <= steps; at++)
        {
            using var device = new Device();
            var downlink = new Downlink(device);
            downlink.Hold(0);
            using var process = new CancellationTokenSource();
            Interrupt(device, at, () =>
            {
                process.Cancel();
                process.Token.ThrowIfCancellationRequested();
            });
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => device.StepAsync(process.Token));
            device.Off();

            await device.StepAsync();

            AssertRepaired(device);

            // Nothing that had arrived was fetched again: not over both lives together.
            Assert.All(device.Server.Log.Where(name => name.StartsWith("GET", StringComparison.Ordinal)).CountBy(name => name), get => Assert.Equal(1, get.Value));
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task RunOnceAsync_KilledAtEachRequestForAFile_TheNextStartContinues(bool after)
    {
        for (var file = 0; file < 2; file++)
        {
            using var device = new Device();
            new Downlink(device).Hold(0);
            using var process = new CancellationTokenSource();
            device.Server.OnKill = process.Cancel;
            var isFirst = true;
            device.Server.FaultAt = (_, name) =>
            {
                var kills = isFirst && name == $"GET /models/delta{file}";
                isFirst &= !kills;
                return kills ? new Fault.Kill(after) : null;
            };
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => device.StepAsync(process.Token));
            device.Off();

            await device.StepAsync();

            AssertRepaired(device);
        }
    }

    [Fact]
    public async Task RunOnceAsync_DiskFullAtEachStepOfAssembly_LeavesTheRoundAndTakesTheNext()
    {
        var steps = await StepsAsync();
        for (var at = 1; at <= steps; at++)
        {
            using var device = new Device();
            var downlink = new Downlink(device);
            downlink.Hold(0);
            Interrupt(device, at, () => throw new IOException("No space left on device.", FullDisk));

            var step = await device.StepAsync();

            Assert.Contains("No space left", step.Reason, StringComparison.Ordinal);
            device.Lease = device.Lease with { Round = 2 };
            Assert.Equal(FedStepOutcome.Committed, (await device.StepAsync()).Outcome);
            Assert.DoesNotContain(device.FilesIn("models"), path => Path.HasExtension(path));
        }
    }

    // The real thing: what is written ends at a device that is always full.
    [Theory]
    [InlineData("step")]
    [InlineData("model")]
    public async Task RunOnceAsync_DiskIsFull_LeavesTheRoundAndTakesTheNext(string what)
    {
        Assert.SkipUnless(File.Exists("/dev/full"), "This system has no /dev/full.");
        using var device = new Device();
        var downlink = new Downlink(device);
        downlink.Hold(0);
        var name = what == "step" ? $"{Wire.Digest.Of(downlink.Deltas[0])}.step.part" : $"{downlink.Digests[2]}.tmp";
        var path = Path.Combine(device.Folder, "models", name);
        if (what == "step")
        {
            File.CreateSymbolicLink(path, "/dev/full");
        }
        else
        {
            // Later than the tidying before the download, which removes what dead processes left.
            device.Options = device.Options with
            {
                OnStateWrite = step => _ = step == "keep" && device.Lease.Round == 1 ? File.CreateSymbolicLink(path, "/dev/full") : null,
            };
        }

        var gaveUp = await device.StepAsync();

        Assert.Contains("the state folder cannot be used: No space left on device", gaveUp.Reason, StringComparison.Ordinal);
        Assert.Equal(0, device.Fits);
        File.Delete(path);
        device.Lease = device.Lease with { Round = 2 };
        Assert.Equal(FedStepOutcome.Committed, (await device.StepAsync()).Outcome);
    }

    [Fact]
    public async Task RunOnceAsync_ClockADayBack_KeepsTheModelItHasJustMade()
    {
        using var device = new Device();
        var downlink = new Downlink(device);
        downlink.Hold(0);
        downlink.Hold(1);
        device.Clock.Misset(TimeSpan.FromDays(-1));

        await device.StepAsync();

        device.AssertCommitted();
        Assert.Contains(device.FilesIn("models"), path => Path.GetFileName(path) == downlink.Digests[2].ToString());
        Assert.Equal(device.Options.CachedModels, device.FilesIn("models").Length);
    }

    private static void AssertRepaired(Device device)
    {
        device.AssertCommitted();
        Assert.DoesNotContain(device.FilesIn("models"), path => Path.HasExtension(path));
        Assert.Contains(device.FilesIn("models"), path => File.ReadAllBytes(path).AsSpan().SequenceEqual(device.ModelBytes));
    }

    private static void Interrupt(Device device, int at, Action interrupt)
    {
        var step = 0;
        device.Options = device.Options with
        {
            OnStateWrite = _ =>
            {
                if (++step == at)
                {
                    interrupt();
                }
            },
        };
    }

    private static async Task<int> StepsAsync()
    {
        using var device = new Device();
        new Downlink(device).Hold(0);
        var steps = 0;
        device.Options = device.Options with { OnStateWrite = _ => steps++ };
        await device.StepAsync();
        Assert.InRange(steps, 7, 20);
        return steps;
    }
}
