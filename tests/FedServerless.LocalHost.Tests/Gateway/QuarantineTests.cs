using FedServerless.Activities.Clients;
using FedServerless.Activities.State;
using FedServerless.Gateway.Upkeep;
using FedServerless.Storage;
using FedServerless.Testing.Federation;
using FedServerless.Wire;

namespace FedServerless.LocalHost.Tests.Gateway;

/// <summary>A client in quarantine gets no work, learns of its release by itself, and nobody but itself is told why.</summary>
public sealed class QuarantineTests : IDisposable
{
    private readonly GatewayBench _bench = new();

    [Fact]
    public async Task CheckIn_InQuarantine_IsAnsweredWithPatienceUntilItIsReleased()
    {
        using var device = await _bench.DeviceAsync("alice");
        var quarantined = await _bench.OperateAsync("quarantineClient", "clients/alice/quarantine?reason=odd%20updates");

        var answer = await _bench.CheckInAsync(device);
        var released = await _bench.OperateAsync("releaseClient", "clients/alice/release");

        Assert.Equal("odd updates", quarantined.Read(WireJson.Default.ClientView).QuarantineReason);
        Assert.Equal(600, answer.Read(WireJson.Default.CheckInResponse).RetryAfterSeconds);
        Assert.Equal(ClientStates.Enrolled, released.Read(WireJson.Default.ClientView).State);
        Assert.NotNull(await _bench.Disk.HeadAsync(StoreNames.Member("default", "alice"), default));
    }

    [Fact]
    public async Task AskUploads_InQuarantine_IsRefusedWithTheReason()
    {
        using var scene = await RoundScene.OpenAsync();
        await scene.Bench.OperateAsync("quarantineClient", "clients/alice/quarantine?reason=odd");

        var answer = await scene.AskAsync(scene.Alice);

        Assert.Equal((403, "/problems/quarantined"), (answer.Status, answer.Problem().Type));
        Assert.Contains("odd", answer.Problem().Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CheckIn_OfAStrangerInTheNameOfOneInQuarantine_LearnsNothing()
    {
        using var device = await _bench.DeviceAsync("alice");
        await _bench.OperateAsync("quarantineClient", "clients/alice/quarantine?reason=odd");
        using var stranger = new TestDevice("alice");

        var answer = await _bench.CheckInAsync(stranger);

        Assert.Equal((401, "/problems/authentication"), (answer.Status, answer.Problem().Type));
    }

    [Fact]
    public async Task Quarantine_RevokedClient_IsAConflict()
    {
        using var device = await _bench.DeviceAsync("alice");
        await _bench.OperateAsync("revokeClient", "clients/alice/revoke");

        Assert.Equal(409, (await _bench.OperateAsync("quarantineClient", "clients/alice/quarantine")).Status);
        Assert.Equal(409, (await _bench.OperateAsync("releaseClient", "clients/alice/release")).Status);
        Assert.Equal(404, (await _bench.OperateAsync("quarantineClient", "clients/nobody/quarantine")).Status);
    }

    [Theory]
    [InlineData(200, 200)]
    [InlineData(201, 400)]
    public async Task Quarantine_Reason_HasALimit(int length, int status)
    {
        using var device = await _bench.DeviceAsync("alice");

        Assert.Equal(status, (await _bench.OperateAsync("quarantineClient", $"clients/alice/quarantine?reason={new string('x', length)}")).Status);
    }

    [Theory]
    [InlineData(3, true)]
    [InlineData(4, false)]
    [InlineData(0, false)]
    public async Task Keeper_ThreeRefusedUpdatesInARow_QuarantinesAsTheRunWishes(int after, bool isQuarantined)
    {
        using var device = await _bench.DeviceAsync("client-000");
        await RunAsync(after);

        var folded = await _bench.Get<StandingKeeper>().RunAsync(default);

        Assert.Equal(3, folded);
        var view = (await _bench.OperateAsync("getClient", "clients/client-000")).Read(WireJson.Default.ClientView);
        Assert.Equal(isQuarantined ? ClientStates.Quarantined : ClientStates.Enrolled, view.State);
        Assert.Equal((0.729, 3), (Math.Round(view.Standing!.Reputation, 12), view.Standing.Refused));
        Assert.Equal(isQuarantined, _bench.Disk.Names.Contains(StoreNames.LogEntry(SimulatedFederation.RunId, 3, 55, "client-000")));
        Assert.Equal(0, await _bench.Get<StandingKeeper>().RunAsync(default));
    }

    public void Dispose() => _bench.Dispose();

    /// <summary>Three rounds, the first client's update broken in each.</summary>
    private async Task RunAsync(int quarantineAfter)
    {
        var disk = _bench.Disk;
        var clients = new SimulatedClients(disk, 3)
        {
            Tamper = (_, client, update) => client == "client-000" ? update with { Parts = [new byte[update.Parts[0].Length]] } : update,
        };
        var spec = SimulatedFederation.Spec(rounds: 3) with { Selection = new SelectionSpec { QuarantineAfter = quarantineAfter } };
        await SimulatedFederation.CreateAsync(disk, spec);
        await disk.PutBytesAsync(StoreNames.RunIndex + SimulatedFederation.RunId, default, PutCondition.CreateOnce, default);
        await using var federation = new SimulatedFederation(disk, clients);
        await federation.SetControlAsync("run");
        await federation.RunAsync();
    }
}
