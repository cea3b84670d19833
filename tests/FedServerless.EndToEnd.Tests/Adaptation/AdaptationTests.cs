using FedServerless.EndToEnd.Tests.Crashes;
using FedServerless.Testing.Federation.Hosted;
using FedServerless.Testing.Storage;
using FedServerless.Wire;

namespace FedServerless.EndToEnd.Tests.Adaptation;

/// <summary>Runs that adapt, over HTTP, with the real SDK on devices of different speeds.</summary>
public sealed class AdaptationTests
{
    [Fact]
    public async Task Run_DevicesOfDifferentSpeeds_TrainByChoicesOfTheirOwn()
    {
        await using var federation = await HostedFederation.StartedAsync();
        var devices = AdaptiveFleet.Devices();

        var run = await AdaptiveFleet.RunAsync(federation, devices);

        // By hand, 40 s and 100 samples: 399 passes of 0.1 s are more than 8; 3 of 10 s fit; 2.5 s of latency, 4 s down and 20.5 s up leave 13 s, 6 passes of
        // 2 s. 1 MiB of memory is 0.8 times sixteen models of 80 kB: room for 52 of 64 samples, so 32.
        (string, int, int)[] expected = [("a-fast", 8, 64), ("b-slow-processor", 3, 64), ("c-slow-line", 6, 64), ("d-small", 8, 32)];
        Assert.All(run.Rounds, round =>
        {
            Assert.Equal("float32", round.Codec);
            Assert.Equal(expected, round.Clients.Select(client => (client.Key, client.Value.Lease.Choice.Epochs, client.Value.Lease.Choice.BatchSize)));
            Assert.All(round.Clients.Values, client => Assert.Equal(client.Lease.Choice, client.Receipt.Choice));
        });
        foreach (var (device, (_, epochs, batch)) in devices.Zip(expected))
        {
            Assert.Equal([(2, 32)], device.TrainedIn("usual"));
            Assert.Equal(Enumerable.Repeat((epochs, batch), AdaptiveFleet.Rounds), device.TrainedIn("run"));
        }

        var view = await federation.Operator.RoundAsync("run", 1);
        Assert.Equal((6.25, 56.0), (view.Metrics["lease.epochs"], view.Metrics["lease.batchSize"]));
    }

    [Fact]
    public async Task Run_DevicesMeasureThemselves_TellWhatTheLineIs()
    {
        await using var federation = await HostedFederation.StartedAsync();

        var run = await AdaptiveFleet.RunAsync(federation, AdaptiveFleet.Devices());

        // An upload counts until it is acknowledged, so a latency is in its rate: 80 kB in 20.5 s.
        Assert.Equal(
            new DeviceMeasurements { UpBytesPerSecond = 3900, DownBytesPerSecond = 20_000, LatencySeconds = 0.5, SecondsPerSample = 0.02, Samples = SimulatedDevice.Samples, MemoryBytes = 1 << 30 },
            run.Rounds[0].Clients["c-slow-line"].Lease.Measured);
    }

    // One slow line of four is passed over, two are not.
    [Theory]
    [InlineData(1e6, "float32", 80_000)]
    [InlineData(4000, "int8", 20_000)]
    public async Task Run_UplinksOfTheFleet_DecideTheCodecOfAllClients(double up, string codec, int bytes)
    {
        await using var federation = await HostedFederation.StartedAsync();

        var run = await AdaptiveFleet.RunAsync(federation, AdaptiveFleet.Devices(upOfTheSlowProcessor: up));

        Assert.All(run.Rounds, round => Assert.Equal(codec, round.Codec));
        Assert.All(run.Rounds.SelectMany(round => round.Clients.Values), client => Assert.InRange(client.Receipt.Bytes, bytes, bytes + 1000));
    }

    [Fact]
    public async Task Run_Twice_MakesTheSameChoicesAndBytes()
    {
        await using var first = await HostedFederation.StartedAsync();
        await using var second = await HostedFederation.StartedAsync();

        var runs = await Task.WhenAll(AdaptiveFleet.RunAsync(first, AdaptiveFleet.Devices()), AdaptiveFleet.RunAsync(second, AdaptiveFleet.Devices()));

        Assert.Equal(runs[0].Choices, runs[1].Choices);
        Assert.True(runs[0].Model.AsSpan().SequenceEqual(runs[1].Model));
    }

    // A device's own choices, for these it tells with each check-in. The codec follows what hosts have gathered of all, which a host that dies takes with it in part.
    [Theory]
    [InlineData(StoreFault.CrashBefore, "leases/c-slow-line.json")]
    [InlineData(StoreFault.CrashAfter, "leases/c-slow-line.json")]
    [InlineData(StoreFault.CrashBefore, "receipts/c-slow-line.json")]
    [InlineData(StoreFault.CrashAfter, "receipts/c-slow-line.json")]
    public async Task Run_HostDiesAtALeaseOrAReceipt_MakesTheSameChoicesAndBytes(StoreFault fault, string name)
    {
        await using var quiet = await HostedFederation.StartedAsync();
        var reference = await AdaptiveFleet.RunAsync(quiet, AdaptiveFleet.Devices(), choosesCodec: false);
        var watch = new WriteWatch([new Mishap($"Put runs/run/rounds/000001/{name} #1", fault)]);
        await using var mortal = new MortalFederation(watch);
        await mortal.StartedAsync();

        var run = await AdaptiveFleet.RunAsync(mortal.Federation, AdaptiveFleet.Devices(), choosesCodec: false);

        await mortal.SupervisionAsync();
        Assert.Empty(watch.Left);
        Assert.Equal(2, mortal.Lives);
        Assert.Equal(reference.Choices, run.Choices);
        Assert.True(reference.Model.AsSpan().SequenceEqual(run.Model));
    }
}
