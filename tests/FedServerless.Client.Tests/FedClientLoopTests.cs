using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Net;
using FedServerless.Client.Tests.Support;
using FedServerless.Wire;

namespace FedServerless.Client.Tests;

public sealed class FedClientLoopTests
{
    [Fact]
    public async Task RunAsync_ThreeRounds_TakesPartInEachAndReturnsWhenStopped()
    {
        using var device = new Device();
        using var stop = new CancellationTokenSource();
        device.Offer(device.Lease, null, device.Lease with { Round = 2 }, device.Lease with { Round = 3 }, null);
        StopAfter(device, stop, idle: 3);
        device.Server.Rewrite = (name, response) =>
        {
            if (name.EndsWith("/receipts", StringComparison.Ordinal))
            {
                device.Server.Receipts.Clear();
            }

            return response;
        };
        var client = await device.OnAsync();

        await client.RunAsync(device.Trainer, stop.Token);

        Assert.Equal([1, 2, 3], device.Events.OfType<Committed>().Select(committed => committed.Round));
        Assert.Equal(3, device.Fits);
    }

    [Fact]
    public async Task RunAsync_ServerGoneForAWhile_ComesBackWithoutSpinning()
    {
        using var device = new Device();
        using var stop = new CancellationTokenSource();
        var client = await device.OnAsync();
        var failures = 0;
        device.Server.FaultAt = (_, _) => failures++ < 100 ? new Fault.LoseRequest() : null;
        device.Offer(device.Lease, null);
        StopAfter(device, stop, idle: 1);

        await client.RunAsync(device.Trainer, stop.Token);

        device.AssertCommitted();

        // Half of every bound by the fixed jitter: 100 failures last minutes, and no request follows another at once.
        Assert.Equal(100, device.Events.OfType<Retrying>().Count());
        Assert.All(device.Pauses, pause => Assert.True(pause >= TimeSpan.FromMilliseconds(250)));
        Assert.True(device.Pauses.Aggregate(TimeSpan.Zero, (sum, pause) => sum + pause) > TimeSpan.FromMinutes(8));
    }

    [Fact]
    public async Task RunAsync_SomethingElseAnswersForAWhile_ComesBack()
    {
        using var device = new Device();
        using var stop = new CancellationTokenSource();
        var client = await device.OnAsync();
        var answers = new Queue<Func<HttpResponseMessage>>(
        [
            () => new HttpResponseMessage(HttpStatusCode.OK) { Content = new StringContent("<html>Sign in to the hotel's network</html>") },
            () => new HttpResponseMessage(HttpStatusCode.NotFound) { Content = new StringContent("<html>nginx</html>") },
            () => new HttpResponseMessage(HttpStatusCode.OK) { Content = new ByteArrayContent(new byte[(1 << 20) + 1]) },
            () => new HttpResponseMessage(HttpStatusCode.OK) { Content = new StringContent(new string('[', 100_000)) },
        ]);
        device.Server.Rewrite = (_, response) => answers.TryDequeue(out var answer) ? answer() : response;
        device.Offer([.. Enumerable.Repeat(device.Lease, 5), null]);
        StopAfter(device, stop, idle: 1);

        await client.RunAsync(device.Trainer, stop.Token);

        device.AssertCommitted();
        Assert.Empty(answers);
    }

    [Fact]
    public async Task RunAsync_AlreadyRunning_Refuses()
    {
        using var device = new Device();
        var client = await device.OnAsync();
        var trainer = FedTrainer.Create(async (_, cancellationToken) =>
        {
            await Assert.ThrowsAsync<InvalidOperationException>(() => client.RunOnceAsync(device.Trainer, cancellationToken));
            return new FitResult(1);
        });

        var step = await client.RunOnceAsync(trainer);

        Assert.Equal(FedStepOutcome.Committed, step.Outcome);
    }

    [Fact]
    public async Task RunAsync_StoppedBeforeItBegins_ReturnsWithoutARequest()
    {
        using var device = new Device();
        var client = await device.OnAsync();
        device.Server.Log.Clear();

        await client.RunAsync(device.Trainer, new CancellationToken(canceled: true));

        Assert.Empty(device.Server.Log);
    }

    [Fact]
    public async Task RunOnceAsync_NothingHeard_FailsAfterTheTimeout()
    {
        using var device = new Device();
        device.Options = device.Options with { MaxAttempts = 2 };
        await device.OnAsync();
        device.Server.FaultAt = (_, _) => new Fault.Hang();

        var step = device.StepAsync();
        while (!step.IsCompleted)
        {
            // 60 s of hold and 100 s of silence, twice.
            device.Clock.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        var problem = await Assert.ThrowsAsync<FedClientException>(() => step);
        Assert.Contains("nothing was heard for 160 s", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RunOnceAsync_RetryOnARealTimer_WaitsByTheClock()
    {
        using var device = new Device();
        device.Options = device.Options with { Delay = null };
        device.Offer((TrainLease?)null);
        await device.OnAsync();
        var once = false;
        device.Server.FaultAt = (_, _) => !once && (once = true) ? new Fault.Answer(HttpStatusCode.ServiceUnavailable, "30") : null;

        var step = device.StepAsync();
        device.Clock.Advance(TimeSpan.FromSeconds(33.7));
        var early = step.IsCompleted;
        device.Clock.Advance(TimeSpan.FromSeconds(0.05));

        Assert.Equal(FedStepOutcome.NoWork, (await step).Outcome);
        Assert.False(early);
    }

    [Theory]
    [InlineData("../../etc", 1, 3000)]
    [InlineData("", 1, 3000)]
    [InlineData("digits", 0, 3000)]
    [InlineData("digits", 1, 0)]
    public async Task RunOnceAsync_LeaseOutOfBounds_GivesUpBeforeAnythingElse(string run, int round, long bytes)
    {
        using var device = new Device();
        device.Offer(device.Lease with { Run = run, Round = round, Base = device.Lease.Base with { Bytes = bytes } });

        var step = await device.StepAsync();

        Assert.StartsWith("the server's lease is not usable", step.Reason, StringComparison.Ordinal);
        Assert.Equal("POST check-in", device.Server.Log[^1]);
        Assert.Empty(device.FilesIn("models"));
        Assert.Empty(device.FilesIn("rounds"));
    }

    [Theory]
    [InlineData(-1, true)]
    [InlineData(0, true)]
    [InlineData(1, false)]
    public async Task RunOnceAsync_ModelAroundTheLimit_RefusedAboveIt(int above, bool accepted)
    {
        using var device = new Device();
        device.Options = device.Options with { MaxModelBytes = device.ModelBytes.Length - above };

        var step = await device.StepAsync();

        Assert.Equal(accepted ? FedStepOutcome.Committed : FedStepOutcome.GaveUp, step.Outcome);
    }

    [Theory]
    [InlineData((256 << 10) - 1, false)]
    [InlineData(256 << 10, true)]
    [InlineData(8 << 20, true)]
    [InlineData((8 << 20) + 1, false)]
    public async Task RunOnceAsync_PartSizeAroundTheLimits_RefusedOutside(int partBytes, bool accepted)
    {
        using var device = new Device();
        device.Offer(device.Lease with { Update = device.Lease.Update with { PartBytes = partBytes } });

        var step = await device.StepAsync();

        Assert.Equal(accepted ? FedStepOutcome.Committed : FedStepOutcome.GaveUp, step.Outcome);
    }

    [Theory]
    [InlineData("float7", 1024, "use a newer SDK")]
    [InlineData("float32", 1000, "not usable")]
    public async Task RunOnceAsync_UpdateSpecUnknown_GivesUpBeforeTraining(string codec, int block, string reason)
    {
        using var device = new Device();
        device.Offer(device.Lease with { Update = device.Lease.Update with { Codec = codec, BlockCoordinates = block } });

        var step = await device.StepAsync();

        Assert.Contains(reason, step.Reason, StringComparison.Ordinal);
        Assert.Equal(0, device.Fits);
    }

    [Fact]
    public async Task RunOnceAsync_Listeners_SeeMetricsAndSpans()
    {
        using var device = new Device();
        var sums = new Dictionary<string, long>();
        using var meters = new MeterListener();
        meters.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == FedClient.TelemetryName)
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        meters.SetMeasurementEventCallback<long>((instrument, value, _, _) =>
        {
            lock (sums)
            {
                sums[instrument.Name] = sums.GetValueOrDefault(instrument.Name) + value;
            }
        });
        meters.Start();
        var spans = new List<string>();
        using var activities = new ActivityListener
        {
            ShouldListenTo = source => source.Name == FedClient.TelemetryName,
            Sample = (ref _) => ActivitySamplingResult.AllData,
            ActivityStopped = activity =>
            {
                lock (spans)
                {
                    spans.Add(activity.OperationName);
                }
            },
        };
        ActivitySource.AddActivityListener(activities);

        await device.StepAsync();

        // Other tests of this process may add to both.
        lock (sums)
        {
            Assert.True(sums["fed.client.model.received"] >= device.ModelBytes.Length);
            Assert.True(sums["fed.client.update.sent"] >= device.Server.Receipts[0].Bytes);
            Assert.True(sums["fed.client.work"] >= 1);
        }

        lock (spans)
        {
            Assert.Superset(new HashSet<string> { "fed.client.download", "fed.client.fit", "fed.client.upload", "fed.client.commit" }, spans.ToHashSet());
        }
    }

    private static void StopAfter(Device device, CancellationTokenSource stop, int idle)
    {
        var seen = 0;
        device.OnEvent = happened =>
        {
            if (happened is CheckedIn { Work: "none" } && ++seen >= idle)
            {
                stop.Cancel();
            }
        };
    }
}
