using System.Text.Json;
using FedServerless.Client.Tests.Support;
using FedServerless.Numerics;
using FedServerless.Wire;

namespace FedServerless.Client.Tests.Adaptivity;

/// <summary>Whole rounds over bad lines. No test waits: the link moves the clock.</summary>
public sealed class FedClientLinkTests
{
    private static readonly UpdateSpec Adaptive = new() { BlockCoordinates = 1024, PartBytes = 8 << 20, MinPartBytes = 256 << 10 };

    // 64 kbit/s: 10 min and more for each way of 5 MB, far beyond RequestTimeout; only silence ends a request.
    [Fact]
    public async Task RunOnceAsync_64KilobitsASecond_FinishesWithoutSendingAByteTwice()
    {
        using var device = Make(1_250_000, out var link);
        link.BytesPerSecond = 8000;

        await device.StepAsync();

        device.AssertCommitted();
        var receipt = device.Server.Receipts[0];
        Assert.DoesNotContain(device.Events, happened => happened is Retrying);
        Assert.Equal((receipt.Bytes, device.ModelBytes.Length), ((await device.OnAsync()).BytesUp, (await device.OnAsync()).BytesDown));
        Assert.Equal(256 << 10, receipt.PartBytes);
        Assert.True(device.Clock.True - new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero) > TimeSpan.FromMinutes(20));
    }

    [Fact]
    public async Task RunOnceAsync_TwoSecondsOfLatency_CostsTwoSecondsARequestAndIsMeasured()
    {
        using var device = Make(100_000, out var link);
        link.Latency = TimeSpan.FromSeconds(2);

        await device.StepAsync();
        var took = device.Clock.True - new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
        await device.StepAsync();

        device.AssertCommitted();
        Assert.True(took <= 2 * TimeSpan.FromSeconds(device.Server.Log.Count), $"{took} for {device.Server.Log.Count} requests");
        Assert.Equal(2, device.Server.Measured!.LatencySeconds);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task RunOnceAsync_ConnectionCutAtRandomBytes_FinishesOnTheSameUpdate(int seed)
    {
        using var device = Make(1_250_000, out var link);
        device.Options = device.Options with { MaxAttempts = 100 };
        var random = new DeterministicRandom(seed);
        link.BytesPerSecond = 1e6;
        link.NextBreak = () => (long)(1 + (random.NextDouble() * 2_000_000));

        await device.UntilCommittedAsync();

        device.AssertCommitted();
        Assert.True(link.Breaks > 3, $"{link.Breaks} breaks");
        Assert.Equal(1, device.Fits);
        Assert.Equal(device.ModelBytes.Length, (await device.OnAsync()).BytesDown);
    }

    // Issue 6, figure 5: 100 MB over a link that drops every 5 MB, with less than 110 MB sent.
    [Fact]
    public async Task RunOnceAsync_100MegabytesDroppedEvery5_SendsLessThan110()
    {
        using var device = Make(25_000_000, out var link);
        device.Options = device.Options with { MaxAttempts = 100 };
        link.BytesPerSecond = 12_500_000;
        link.NextBreak = () => 5_000_000;

        await device.UntilCommittedAsync();

        Assert.InRange(device.Server.Receipts[0].Bytes, 100_000_000, 101_000_000);
        Assert.True(link.Breaks >= 38, $"{link.Breaks} breaks");
        Assert.True(link.Sent < 110_000_000, $"{link.Sent} bytes left the device");
    }

    [Fact]
    public async Task RunOnceAsync_SilentInTheMiddle_IsBrokenOffAndTriedAgain()
    {
        using var device = Make(100_000, out var link);
        link.Latency = TimeSpan.FromSeconds(101);

        var problem = await Assert.ThrowsAsync<FedClientException>(() => device.StepAsync());

        Assert.True(problem.IsTransient);
        Assert.Contains("nothing was heard for 1", problem.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(8000, 256 << 10)]
    [InlineData(100_000, 1 << 20)]
    [InlineData(1e9, 2 << 20)] // 10 MB have got through; a line that may break after that gets parts of a quarter.
    public async Task RunOnceAsync_PlanLeavesTheChoice_CutsPartsForTheLink(double bytesPerSecond, int? partBytes)
    {
        using var device = Make(1_250_000, out var link);
        link.BytesPerSecond = bytesPerSecond;
        await device.StepAsync();
        device.Offer(device.Lease with { Round = 2 });

        await device.StepAsync();

        Assert.Equal(partBytes, device.Server.Receipts[^1].PartBytes);
        Assert.Equal(partBytes, device.Server.Announced[^1].PartBytes);
    }

    [Fact]
    public async Task RunOnceAsync_PlanLeavesNoChoice_CutsAsItSays()
    {
        using var device = Make(300_000, out var link, Adaptive with { MinPartBytes = null });
        link.BytesPerSecond = 8000;

        await device.StepAsync();

        Assert.Null(device.Server.Receipts[0].PartBytes);
        Assert.Single(device.Server.Announced[0].Parts);
    }

    [Fact]
    public async Task RunOnceAsync_RestartedInTheMiddleOfAnUpload_SendsTheRestInTheSameParts()
    {
        using var device = Make(600_000, out var link);
        link.BytesPerSecond = 8000;
        using var process = new CancellationTokenSource();
        device.Server.OnKill = process.Cancel;
        var puts = 0;
        device.Server.FaultAt = (_, name) => name.StartsWith("PUT", StringComparison.Ordinal) && ++puts == 4 ? new Fault.Kill(After: true) : null;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => device.StepAsync(process.Token));
        device.Off();
        link.BytesPerSecond = 1e9;

        await device.StepAsync();

        device.AssertCommitted();
        Assert.Equal(1, device.Fits);
        Assert.Equal(256 << 10, device.Server.Receipts[0].PartBytes);
        Assert.Equal(device.Server.Store.Count, device.Server.Log.Count(name => name.StartsWith("PUT", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task RunOnceAsync_MeasuredLink_IsToldToTwoDigitsAndRemembered()
    {
        using var device = Make(300_000, out var link);
        link.BytesPerSecond = 123_456;
        await device.StepAsync();
        device.Off();

        await device.StepAsync();

        Assert.Equal((120_000, 120_000), (device.Server.Measured!.UpBytesPerSecond, device.Server.Measured.DownBytesPerSecond));
        Assert.Empty(device.Server.Measured.Validate("measured"));
    }

    [Fact]
    public async Task RunOnceAsync_FitTakesTime_IsToldBySampleAndPass()
    {
        using var device = Make(3000, out _);
        var trainer = device.Trainer;
        device.Trainer = FedTrainer.Create(async (context, cancellationToken) =>
        {
            device.Clock.Advance(TimeSpan.FromSeconds(36));
            return await trainer.FitAsync(context, cancellationToken);
        });
        await device.StepAsync();

        await device.StepAsync();

        // 36 s for 60 samples, three times.
        Assert.Equal((0.2, 60L), (device.Server.Measured!.SecondsPerSample!.Value, device.Server.Measured.Samples));
    }

    [Fact]
    public async Task RunOnceAsync_PrivateRound_LearnsNothingOfTheSamples()
    {
        using var device = Make(3000, out _);
        device.Offer(device.Lease with { Privacy = new LeasePrivacy(1, false) });
        var trainer = device.Trainer;
        device.Trainer = FedTrainer.Create(async (context, cancellationToken) =>
        {
            device.Clock.Advance(TimeSpan.FromSeconds(36));
            return await trainer.FitAsync(context, cancellationToken);
        });
        await device.StepAsync();

        await device.StepAsync();

        Assert.Equal((null, null), (device.Server.Measured?.SecondsPerSample, device.Server.Measured?.Samples));
    }

    [Fact]
    public async Task RunOnceAsync_ReportMeasurementsOff_TellsNothing()
    {
        using var device = Make(300_000, out var link);
        link.BytesPerSecond = 123_456;
        device.Options = device.Options with { ReportMeasurements = false };
        await device.StepAsync();

        await device.StepAsync();

        Assert.Null(device.Server.Measured);
    }

    [Fact]
    public async Task RunOnceAsync_DamagedMeasurements_BeginAnew()
    {
        using var device = Make(3000, out _);
        await device.StepAsync();
        device.Off();
        await File.WriteAllTextAsync(Path.Combine(device.Folder, "measured.json"), "{\"up\":", TestContext.Current.CancellationToken);
        device.Offer(device.Lease with { Round = 2 });

        Assert.Equal(FedStepOutcome.Committed, (await device.StepAsync()).Outcome);
    }

    // JSON reads 1e999 as infinity, and writes none: what is no measurement is dropped, or no average could ever be stored again.
    [Theory]
    [InlineData("""{"up":1e999,"down":-1e999,"latency":0,"perSample":-1,"samples":-5,"perBreak":1e999,"sinceBreak":1e999}""")]
    [InlineData("""{"sinceBreak":-1e300}""")]
    public async Task RunOnceAsync_StoredMeasurementsAreNone_BeginAnew(string stored)
    {
        using var device = Make(3000, out var link);
        link.Latency = TimeSpan.FromSeconds(2);
        await device.StepAsync();
        device.Off();
        var file = Path.Combine(device.Folder, "measured.json");
        await File.WriteAllTextAsync(file, stored, TestContext.Current.CancellationToken);
        device.Offer(device.Lease with { Round = 2 });

        Assert.Equal(FedStepOutcome.Committed, (await device.StepAsync()).Outcome);

        using var kept = JsonDocument.Parse(await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken));
        Assert.Equal((JsonValueKind.Null, 2.0), (kept.RootElement.GetProperty("up").ValueKind, Math.Round(kept.RootElement.GetProperty("latency").GetDouble(), 1)));
    }

    [Theory]
    [InlineData(0, 10, "training.epochs")]
    [InlineData(-1, 10, "training.epochs")]
    [InlineData(RunLimits.MaxEpochs + 1, 10, "training.epochs")]
    [InlineData(1, -1, "training.batchSize")]
    [InlineData(1, RunLimits.MaxBatchSize + 1, "training.batchSize")]
    [InlineData(1, 0, null)]
    [InlineData(RunLimits.MaxEpochs, RunLimits.MaxBatchSize, null)]
    public async Task RunOnceAsync_LeaseWithImpossibleTraining_IsLeft(int epochs, int batch, string? field)
    {
        using var device = Make(3000, out _);
        device.Offer(device.Lease with { Training = new TrainingSpec { Epochs = epochs, BatchSize = batch } });
        var fits = 0;
        device.Trainer = FedTrainer.Create(_ => new FitResult(++fits));

        var step = await device.StepAsync();

        Assert.Equal(field is null ? FedStepOutcome.Committed : FedStepOutcome.GaveUp, step.Outcome);
        Assert.Contains(field ?? "", step.Reason ?? "", StringComparison.Ordinal);
        Assert.Equal(field is null ? 1 : 0, fits);
    }

    private static Device Make(int parameters, out SimulatedLink link, UpdateSpec? update = null)
    {
        var device = new Device(parameters);
        device.Lease = device.Lease with { Update = update ?? Adaptive, RemainingSeconds = 24 * 3600 };
        device.Offer(device.Lease);
        link = new SimulatedLink(device.Server, device.Clock);
        device.Options = device.Options with { HttpHandler = link };
        return device;
    }
}
