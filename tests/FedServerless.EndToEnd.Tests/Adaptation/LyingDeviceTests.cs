using System.Text;
using FedServerless.EndToEnd.Tests.Hostile;
using FedServerless.Testing.Federation.Hosted;
using FedServerless.Wire;

namespace FedServerless.EndToEnd.Tests.Adaptation;

/// <summary>A device that lies about its speed: all it gets is another place within the operator's bounds, for itself.</summary>
public sealed class LyingDeviceTests
{
    private static readonly DeviceMeasurements Absurd = new()
    {
        UpBytesPerSecond = DeviceMeasurements.MaxRate, DownBytesPerSecond = DeviceMeasurements.MaxRate, LatencySeconds = DeviceMeasurements.MinLatency,
        SecondsPerSample = DeviceMeasurements.MinSecondsPerSample, Samples = 1, MemoryBytes = DeviceMeasurements.MaxMemory,
    };

    private static readonly DeviceMeasurements Hopeless = new()
    {
        UpBytesPerSecond = DeviceMeasurements.MinRate, DownBytesPerSecond = DeviceMeasurements.MinRate, LatencySeconds = DeviceMeasurements.MaxLatency,
        SecondsPerSample = DeviceMeasurements.MaxSecondsPerSample, Samples = RunLimits.MaxSamples, MemoryBytes = DeviceMeasurements.MinMemory,
    };

    [Theory]
    [InlineData(true, 8, 64)]
    [InlineData(false, 1, 32)]
    public async Task Run_MeasurementsAtTheEdgeOfBelief_StayWithinTheOperatorsBounds(bool fast, int epochs, int batch)
    {
        await using var federation = await HostedFederation.StartedAsync();
        var devices = AdaptiveFleet.Devices().Where(device => device.Id != "c-slow-line").ToList();
        await AdaptiveFleet.MeasureAsync(federation, devices);
        using var liar = await HostileDevice.EnrolAsync(federation, "liar");
        liar.Measured = fast ? Absurd : Hopeless;
        await liar.CheckInAsync();
        await federation.Operator.StartRunAsync("run", AdaptiveFleet.Adaptive(devices.Count + 1));
        LeaseChoice? claimed = null;
        for (var round = 1; round <= AdaptiveFleet.Rounds; round++)
        {
            claimed = (await TakePartAsync(liar)).Choice;
        }

        var run = await AdaptiveFleet.EndAsync(federation, [.. devices.Select(device => device.Id), "liar"]);

        Assert.Equal((epochs, batch), (claimed!.Epochs, claimed.BatchSize));
        Assert.All(run.Rounds, round =>
        {
            // One liar of four decides neither the codec nor what the others do.
            Assert.Equal("float32", round.Codec);
            Assert.Equal([8, 3, 8], round.Clients.Where(client => client.Key != "liar").Select(client => client.Value.Lease.Choice.Epochs));
            Assert.Equal(claimed, round.Clients["liar"].Receipt.Choice);
        });
    }

    [Fact]
    public async Task Run_HostDiesBetweenLeaseAndReceipt_RepeatsTheChoiceWhateverIsMeasuredThen()
    {
        await using var federation = await HostedFederation.StartedAsync();
        using var liar = await HostileDevice.EnrolAsync(federation, "liar");
        liar.Measured = Absurd;
        await liar.CheckInAsync();
        await federation.Operator.StartRunAsync("run", AdaptiveFleet.Adaptive(clients: 1));
        var before = await liar.LeaseAsync();

        await federation.CrashAsync();
        liar.Measured = Hopeless;
        await federation.StartAsync();
        var after = await liar.LeaseAsync();

        Assert.Equal((before.Choice, before.Training, before.Seed), (after.Choice, after.Training, after.Seed));
        var update = await liar.EncodeAsync(after, 0.01f);
        await liar.UploadAsync(after, update);
        Assert.Equal(400, (await liar.CommitAsync(after, liar.Receipt(after, update) with { Choice = before.Choice! with { Epochs = 9 } })).Status);
        Assert.Equal(201, (await liar.CommitAsync(after, liar.Receipt(after, update) with { Choice = before.Choice })).Status);

        // The next round goes by what was measured since.
        Assert.Equal((2, 1), ((await TakePartAsync(liar)).Round, (await AdaptiveFleet.EndAsync(federation, ["liar"])).Rounds[1].Clients["liar"].Receipt.Choice!.Epochs));
    }

    [Theory]
    [InlineData("""{"upBytesPerSecond":1e300}""", "measured.upBytesPerSecond")]
    [InlineData("""{"upBytesPerSecond":-5,"downBytesPerSecond":0}""", "measured.downBytesPerSecond")]
    [InlineData("""{"secondsPerSample":-1e300}""", "measured.secondsPerSample")]
    [InlineData("""{"samples":-9223372036854775808}""", "measured.samples")]
    [InlineData("""{"memoryBytes":9223372036854775807}""", "measured.memoryBytes")]
    [InlineData("""{"latencySeconds":1e999}""", "")]
    [InlineData("""{"upBytesPerSecond":NaN}""", "")]
    [InlineData("""{"upBytesPerSecond":"NaN"}""", "")]
    [InlineData("""{"upBytesPerSecond":Infinity}""", "")]
    [InlineData("""{"samples":1.5}""", "")]
    [InlineData("""[1]""", "")]
    public async Task CheckIn_MeasurementsThatAreNone_AreRefusedAndTheNextIsHeard(string measured, string field)
    {
        await using var federation = await HostedFederation.StartedAsync();
        using var liar = await HostileDevice.EnrolAsync(federation, "liar");

        var (status, body) = await liar.SendAsync(
            HttpMethod.Post, "check-in", Encoding.UTF8.GetBytes($$"""{"apiVersion":1,"sdk":"hostile","measured":{{measured}} }"""));

        Assert.Equal(400, status);
        Assert.Contains(field, body, StringComparison.Ordinal);
        await liar.CheckInAsync();
    }

    private static async Task<TrainLease> TakePartAsync(HostileDevice device)
    {
        var lease = await device.LeaseAsync();
        var update = await device.EncodeAsync(lease, 0.01f);
        await device.UploadAsync(lease, update);
        var answer = await device.CommitAsync(lease, device.Receipt(lease, update) with { Choice = lease.Choice });
        Assert.True(answer.Status == 201, answer.Body);
        return lease;
    }
}
