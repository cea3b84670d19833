using System.Net;
using FedServerless.Client.Tests.Support;

namespace FedServerless.Client.Tests;

/// <summary>Everything that can go wrong with a request goes wrong with every request of a round, one at a time.</summary>
public sealed class FedClientFaultTests
{
    /// <summary>Requests of a round with three parts, enrolment included.</summary>
    private const int Requests = 11;

    public static TheoryData<string> Faults => ["lose-request", "lose-answer", "500", "503", "429", "408", "302", "break-off"];

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task RunOnceAsync_OneRequestFails_CommitsTheSameUpdateOnce(string fault)
    {
        for (var at = 0; at < Requests; at++)
        {
            using var device = new Device(parameters: 140_000);
            device.Server.FaultAt = (n, _) => n == at ? Make(fault) : null;

            await device.UntilCommittedAsync(most: 1);

            device.AssertCommitted();
            Assert.Equal(1, device.Fits);
            Assert.True(device.Server.Log.Count >= Requests, $"{fault} at request {at} never happened.");
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task RunOnceAsync_ProcessKilledAtAnyRequest_CommitsOnceWithoutTrainingAgain(bool after)
    {
        for (var at = 0; at < Requests; at++)
        {
            using var device = new Device(parameters: 140_000);
            using var process = new CancellationTokenSource();
            device.Server.OnKill = process.Cancel;
            device.Server.FaultAt = (n, _) => n == at ? new Fault.Kill(after) : null;

            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => device.StepAsync(process.Token));
            device.Off();
            var last = at == Requests - 1 && after;
            var step = await device.StepAsync();

            Assert.Equal(FedStepOutcome.Committed, step.Outcome);
            device.AssertCommitted();
            Assert.Equal(1, device.Fits);
            Assert.Equal(last ? 2 : 1, device.Server.Receipts.Count);
        }
    }

    [Fact]
    public async Task RunOnceAsync_ProcessKilledAtEveryRequestInTurn_CommitsWithoutTrainingTwice()
    {
        using var device = new Device(parameters: 140_000);
        var killed = new HashSet<string>();
        CancellationTokenSource? process = null;
        device.Server.OnKill = () => process!.Cancel();
        device.Server.FaultAt = (n, name) => killed.Add(name) ? new Fault.Kill(After: n % 2 == 0) : null;

        for (var lives = 1; ; lives++)
        {
            using (process = new CancellationTokenSource())
            {
                try
                {
                    await device.StepAsync(process.Token);
                    Assert.True(lives > 8, $"Only {lives - 1} kills.");
                    break;
                }
                catch (OperationCanceledException)
                {
                    device.Off();
                }
            }
        }

        device.AssertCommitted();
        Assert.Equal(1, device.Fits);
    }

    [Fact]
    public async Task RunOnceAsync_ResumedUpload_SendsOnlyWhatIsMissing()
    {
        using var device = new Device(parameters: 140_000);
        using var process = new CancellationTokenSource();
        device.Server.OnKill = process.Cancel;
        device.Server.FaultAt = (n, name) => name.EndsWith("/1", StringComparison.Ordinal) && !process.IsCancellationRequested ? new Fault.Kill(After: true) : null;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => device.StepAsync(process.Token));
        device.Off();

        await device.StepAsync();

        var puts = device.Server.Log.Where(name => name.StartsWith("PUT", StringComparison.Ordinal)).ToArray();
        Assert.Equal(4, puts.Length);
        Assert.Distinct(puts);
    }

    [Fact]
    public async Task RunOnceAsync_StoredUpdateDamagedBetweenLives_TrainsAgain()
    {
        using var device = new Device();
        using var process = new CancellationTokenSource();
        device.Server.OnKill = process.Cancel;
        device.Server.FaultAt = (_, name) => name.EndsWith("/uploads", StringComparison.Ordinal) && !process.IsCancellationRequested ? new Fault.Kill(After: false) : null;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => device.StepAsync(process.Token));
        device.Off();
        var payload = device.FilesIn("rounds").Single(path => path.EndsWith("payload", StringComparison.Ordinal));
        var bytes = await File.ReadAllBytesAsync(payload);
        bytes[100] ^= 1;
        await File.WriteAllBytesAsync(payload, bytes);

        await device.StepAsync();

        Assert.Equal(2, device.Fits);
        device.AssertCommitted();
    }

    [Fact]
    public async Task RunOnceAsync_KilledWhileStoringTheUpdate_TrainsAgain()
    {
        using var device = new Device();
        await device.OnAsync();
        var half = Path.Combine(device.Folder, "rounds", "digits-1.train.new");
        Directory.CreateDirectory(half);
        await File.WriteAllTextAsync(Path.Combine(half, "payload"), "half");

        await device.StepAsync();

        device.AssertCommitted();
        Assert.Single(device.FilesIn("rounds"));
    }

    [Fact]
    public async Task RunOnceAsync_RoundOver_UnfinishedUpdateGoesAfterItsTime()
    {
        using var device = new Device();
        using var process = new CancellationTokenSource();
        device.Server.OnKill = process.Cancel;
        device.Server.FaultAt = (_, name) => name.EndsWith("/uploads", StringComparison.Ordinal) ? new Fault.Kill(After: false) : null;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => device.StepAsync(process.Token));
        device.Offer((Wire.TrainLease?)null);
        await device.StepAsync();
        Assert.NotEmpty(device.FilesIn("rounds"));

        // The deadline was 600 s away, and an hour of grace follows.
        device.Clock.Advance(TimeSpan.FromSeconds(4201));
        await device.StepAsync();

        Assert.Empty(device.FilesIn("rounds"));
    }

    private static Fault Make(string fault) => fault switch
    {
        "lose-request" => new Fault.LoseRequest(),
        "lose-answer" => new Fault.LoseAnswer(),
        "break-off" => new Fault.BreakOff(10),
        "429" => new Fault.Answer(HttpStatusCode.TooManyRequests, "7"),
        _ => new Fault.Answer((HttpStatusCode)int.Parse(fault)),
    };
}
