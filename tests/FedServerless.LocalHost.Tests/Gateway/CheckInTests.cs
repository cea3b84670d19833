using FedServerless.Activities.State;
using FedServerless.Gateway;
using FedServerless.Gateway.Rounds;
using FedServerless.Storage;
using FedServerless.Testing.Storage;
using FedServerless.Wire;

namespace FedServerless.LocalHost.Tests.Gateway;

public sealed class CheckInTests
{
    private static readonly (string, string) Wait = ("Prefer", "respond-async, wait=60");

    [Fact]
    public async Task CheckIn_Selected_GetsTheLease()
    {
        using var scene = await RoundScene.OpenAsync();

        var lease = Work(await scene.Bench.CheckInAsync(scene.Alice)).Train!;

        Assert.Equal(("r", 1, "m", scene.Plan.Base.Digest), (lease.Run, lease.Round, lease.Model, lease.Base.Digest));
        Assert.Equal(scene.Plan.Training, lease.Training);
        Assert.StartsWith("/blobs/models/m/", lease.Base.Url, StringComparison.Ordinal);
        Assert.InRange(lease.RemainingSeconds, 1, 600);
    }

    [Fact]
    public async Task CheckIn_Again_RepeatsTheLease()
    {
        using var scene = await RoundScene.OpenAsync();
        var first = Work(await scene.Bench.CheckInAsync(scene.Alice)).Train!;
        scene.Bench.Time.Advance(TimeSpan.FromSeconds(10));

        var second = Work(await scene.Bench.CheckInAsync(scene.Alice)).Train!;

        Assert.Equal((first.Run, first.Round, first.Seed), (second.Run, second.Round, second.Seed));
        Assert.Equal(first.RemainingSeconds - 10, second.RemainingSeconds, 1);
        Assert.NotEqual(first.Base.Url, second.Base.Url);
    }

    [Fact]
    public async Task CheckIn_TwoClients_HaveSeedsOfTheirOwn()
    {
        using var scene = await RoundScene.OpenAsync();

        var alice = Work(await scene.Bench.CheckInAsync(scene.Alice)).Train!;
        var bob = Work(await scene.Bench.CheckInAsync(scene.Bob)).Train!;

        Assert.NotEqual(alice.Seed, bob.Seed);
    }

    [Fact]
    public async Task CheckIn_NotSelected_IsSentAway()
    {
        using var scene = await RoundScene.OpenAsync();

        var work = Work(await scene.Bench.CheckInAsync(scene.Carol));

        Assert.Null(work.Train);
        Assert.True(work.RetryAfterSeconds > 0);
    }

    [Fact]
    public async Task CheckIn_Committed_GetsNoLeaseAgain()
    {
        using var scene = await RoundScene.OpenAsync();
        await scene.UploadAndCommitAsync(scene.Alice);

        Assert.Null(Work(await scene.Bench.CheckInAsync(scene.Alice)).Train);
    }

    [Fact]
    public async Task CheckIn_CommittedThroughAnotherHost_GetsNoLease()
    {
        using var scene = await RoundScene.OpenAsync();
        await scene.Bench.CheckInAsync(scene.Alice);
        await scene.PutAsync(StoreNames.Receipt("r", 1, "alice"));

        Assert.Null(Work(await scene.Bench.CheckInAsync(scene.Alice)).Train);
    }

    [Fact]
    public async Task CheckIn_PastTheDeadline_GetsNoLease()
    {
        using var scene = await RoundScene.OpenAsync();
        scene.Bench.Time.Advance(TimeSpan.FromSeconds(600));

        Assert.Null(Work(await scene.Bench.CheckInAsync(scene.Alice)).Train);
    }

    [Theory]
    [InlineData(DeviceApi.Version - 1, 426)]
    [InlineData(DeviceApi.Version, 200)]
    [InlineData(DeviceApi.Version + 1, 426)]
    public async Task CheckIn_ApiVersion_IsNegotiated(int version, int status)
    {
        using var scene = await RoundScene.OpenAsync();

        var answer = await scene.Bench.CompleteAsync(scene.Bench.CallAsync(
            scene.Alice, "checkIn", "check-in", new CheckInRequest(version, "test/1"), WireJson.Default.CheckInRequest));

        Assert.Equal(status, answer.Status);
        if (status == 426)
        {
            Assert.Equal("/problems/api-version", answer.Problem().Type);
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{\"apiVersion\":1}")]
    [InlineData("{\"apiVersion\":\"1\",\"sdk\":\"x\"}")]
    public async Task CheckIn_Malformed_IsRefused(string body)
    {
        using var scene = await RoundScene.OpenAsync();

        var answer = await scene.Bench.CallAsync(scene.Alice, "checkIn", "check-in", System.Text.Encoding.UTF8.GetBytes(body));

        Assert.Equal((400, "/problems/invalid-request"), (answer.Status, answer.Problem().Type));
    }

    [Fact]
    public async Task CheckIn_RevokedBehindThisHostsMemory_GetsNoLease()
    {
        using var scene = await RoundScene.OpenAsync();
        var name = StoreNames.Client("alice");
        var stored = await scene.Bench.Disk.GetAsync(name, Activities.Clients.ClientJson.Default.ClientDocument, CancellationToken.None);
        await scene.Bench.CheckInAsync(scene.Alice);
        await scene.Bench.Disk.PutAsync(
            name, stored.Value with { State = "revoked" }, Activities.Clients.ClientJson.Default.ClientDocument, PutCondition.Overwrite, CancellationToken.None);

        var answer = await scene.Bench.CheckInAsync(scene.Alice);

        Assert.Equal((403, "/problems/revoked"), (answer.Status, answer.Problem().Type));
    }

    [Fact]
    public async Task CheckIn_Held_IsAnsweredWhenTheRoundOpens()
    {
        using var scene = await RoundScene.PlanAsync();
        var held = scene.Bench.CallAsync(scene.Alice, "checkIn", "check-in", new CheckInRequest(1, "t"), WireJson.Default.CheckInRequest, Wait);
        Assert.False(held.IsCompleted);

        await scene.Bench.Activities.OpenRound.RunAsync(RoundScene.Input, CancellationToken.None);

        // The clock stands still: only the bell can have answered.
        Assert.Equal("r", Work(await held).Train!.Run);
    }

    [Fact]
    public async Task CheckIn_HeldWithoutABell_IsAnsweredByTheNextLook()
    {
        using var scene = await RoundScene.PlanAsync();
        var held = scene.Bench.CallAsync(scene.Alice, "checkIn", "check-in", new CheckInRequest(1, "t"), WireJson.Default.CheckInRequest, Wait);
        using var otherHost = new RoundSceneOpener(scene);
        await otherHost.OpenAsync();

        var lease = Work(await scene.Bench.CompleteAsync(held)).Train!;

        Assert.InRange(lease.RemainingSeconds, 590, 600);
    }

    [Fact]
    public async Task CheckIn_HeldWithoutWork_EndsAfterTheHold()
    {
        using var scene = await RoundScene.PlanAsync();
        var before = scene.Bench.Now;

        var work = Work(await scene.Bench.CheckInAsync(scene.Alice, Wait));

        Assert.Equal((60, 0), (scene.Bench.Now - before, work.RetryAfterSeconds));
    }

    [Fact]
    public async Task CheckIn_HeldAndHostStops_IsLetGo()
    {
        using var stopping = new CancellationTokenSource();
        var options = new GatewayOptions { HoldCheckInsFor = TimeSpan.FromSeconds(60), Stopping = stopping.Token };
        using var scene = await RoundScene.PlanAsync(options: options);
        var held = scene.Bench.CallAsync(scene.Alice, "checkIn", "check-in", new CheckInRequest(1, "t"), WireJson.Default.CheckInRequest, Wait);

        await stopping.CancelAsync();

        Assert.True(Work(await held).RetryAfterSeconds > 0);
    }

    [Theory]
    [InlineData("wait=60")]
    [InlineData("wait=x")]
    public async Task CheckIn_HostThatDoesNotHold_AnswersAtOnce(string prefer)
    {
        using var scene = await RoundScene.PlanAsync(options: new GatewayOptions());

        var answer = await scene.Bench.CallAsync(
            scene.Alice, "checkIn", "check-in", new CheckInRequest(1, "t"), WireJson.Default.CheckInRequest, ("Prefer", prefer));

        Assert.InRange(Work(answer).RetryAfterSeconds, 4, 6);
    }

    [Fact]
    public async Task CheckIn_OneClientAsksAgainAndAgain_HoldsAFew()
    {
        using var scene = await RoundScene.OpenAsync();
        await scene.Bench.CheckInAsync(scene.Carol);
        var body = System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(new CheckInRequest(DeviceApi.Version, "t"), WireJson.Default.CheckInRequest);
        var held = Enumerable.Range(0, CheckIns.MaxHeldPerClient).Select(_ => scene.Bench.CallAsync(scene.Carol, "checkIn", "check-in", body, Wait)).ToList();

        var onceMore = await scene.Bench.CallAsync(scene.Carol, "checkIn", "check-in", body, Wait);

        Assert.True(Work(onceMore).RetryAfterSeconds > 0);
        Assert.All(held, answer => Assert.False(answer.IsCompleted));
        await scene.Bench.CompleteAsync(Task.WhenAll(held));
        var later = scene.Bench.CallAsync(scene.Carol, "checkIn", "check-in", body, Wait);
        Assert.False(later.IsCompleted);
        await scene.Bench.CompleteAsync(later);
    }

    [Fact]
    public async Task CheckIn_TwoHundredHeld_CostTheStoreOneListingEachRefresh()
    {
        CountingStore? counting = null;
        using var scene = await RoundScene.PlanAsync(inner => counting = new CountingStore(inner));
        var devices = new List<TestDevice>();
        for (var i = 0; i < 200; i++)
        {
            devices.Add(await scene.Bench.DeviceAsync($"idle-{i}"));
        }

        await scene.Bench.CompleteAsync(Task.WhenAll(devices.Select(device => scene.Bench.CallAsync(
            device, "checkIn", "check-in", new CheckInRequest(1, "t"), WireJson.Default.CheckInRequest))));
        var (before, since) = (counting!.Operations, scene.Bench.Time.GetUtcNow());

        await scene.Bench.CompleteAsync(Task.WhenAll(devices.Select(device => scene.Bench.CallAsync(
            device, "checkIn", "check-in", new CheckInRequest(1, "t"), WireJson.Default.CheckInRequest, Wait))));

        // A minute of 200 waiting clients, and what the test's clock ran on while their answers were signed: one listing every three
        // seconds, a page of presence a minute, the round's usage twice a minute; of each one more, for what was due when they came.
        var waited = (scene.Bench.Time.GetUtcNow() - since).TotalSeconds;
        Assert.InRange(counting.Operations - before, 1, (int)(waited / 3) + (int)(waited / 60) + (int)(waited / 30) + 3);
        devices.ForEach(device => device.Dispose());
    }

    [Fact]
    public async Task CheckIn_NewlyPresent_WakesTheWaitingRuns()
    {
        using var scene = await RoundScene.PlanAsync();
        scene.Bench.Workflows.Wakes.Clear();

        await scene.Bench.CheckInAsync(scene.Carol);
        await scene.Bench.CheckInAsync(scene.Carol);

        Assert.Equal([("r", "clients")], scene.Bench.Workflows.Wakes);
    }

    [Theory]
    [InlineData("round 1", 0)]
    [InlineData("evaluating round 1", 0)]
    [InlineData("waiting for clients: 1 of 2 seen lately", 1)]
    [InlineData("rounds abandoned", 1)]
    public async Task CheckIn_NewlyPresent_WakesNoRunThatIsInARound(string status, int wakes)
    {
        using var scene = await RoundScene.PlanAsync();
        scene.Bench.Workflows.Started.Add("r");
        scene.Bench.Workflows.Status = status;
        scene.Bench.Workflows.Wakes.Clear();

        await scene.Bench.CheckInAsync(scene.Carol);

        Assert.Equal(wakes, scene.Bench.Workflows.Wakes.Count);
    }

    [Theory]
    [InlineData(1, 0, 0.5, 5)]
    [InlineData(1000, 0, 0.5, 20)]
    [InlineData(1000, 0, 0, 16)]
    [InlineData(1000, 0, 1, 24)]
    [InlineData(10_000_000, 0, 0.5, 600)]
    [InlineData(1000, 15, 0.5, 5)]
    [InlineData(1000, 60, 0.5, 0)]
    public void RetryAfter_Population_SetsThePace(int clients, int held, double chance, double expected)
    {
        var seconds = Pacing.RetryAfterSeconds(new GatewayOptions(), clients, TimeSpan.FromSeconds(held), chance);

        Assert.Equal(expected, seconds, 9);
    }

    private static CheckInResponse Work(Answer answer)
    {
        Assert.True(answer.Status == 200, answer.Text);
        return answer.Read(WireJson.Default.CheckInResponse);
    }

    /// <summary>Another host's activities over the same store: their bell is not this host's.</summary>
    private sealed class RoundSceneOpener(RoundScene scene) : Activities.IRoundBell, IDisposable
    {
        public Task OpenAsync() => new Activities.ActivitySet(scene.Bench.Store, scene.Presence, this, scene.Bench.Time)
            .OpenRound.RunAsync(RoundScene.Input, CancellationToken.None);

        public void Ring(string population)
        {
        }

        public void Dispose()
        {
        }
    }
}
