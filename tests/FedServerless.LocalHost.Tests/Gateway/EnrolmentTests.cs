using System.Text.Json;
using FedServerless.Activities.Clients;
using FedServerless.Activities.State;
using FedServerless.Wire;

namespace FedServerless.LocalHost.Tests.Gateway;

public sealed class EnrolmentTests : IDisposable
{
    private readonly GatewayBench _bench = new();

    [Fact]
    public async Task Enrol_NewCode_MakesTheClient()
    {
        using var device = new TestDevice("alice");
        var secret = await _bench.MakeCodeAsync("alice", "phones");

        var answer = await _bench.EnrolAsync(device, secret);

        Assert.Equal(new EnrolResponse("alice", "phones"), answer.Read(WireJson.Default.EnrolResponse));
        Assert.Contains(StoreNames.Member("phones", "alice"), _bench.Disk.Names);
        Assert.DoesNotContain(_bench.Disk.Names, name => name.Contains(secret, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Enrol_SameCodeAndKeyAgain_RepeatsTheAnswer()
    {
        using var device = new TestDevice("alice");
        var secret = await _bench.MakeCodeAsync("alice");
        var first = await _bench.EnrolAsync(device, secret);
        _bench.Time.Advance(TimeSpan.FromDays(2));

        var second = await _bench.EnrolAsync(device, secret);

        Assert.Equal((200, first.Text), (second.Status, second.Text));
    }

    [Fact]
    public async Task Enrol_SameCodeAnotherKey_Conflicts()
    {
        using var device = new TestDevice("alice");
        var secret = await _bench.MakeCodeAsync("alice");
        await _bench.EnrolAsync(device, secret);
        device.Rekey();

        var answer = await _bench.EnrolAsync(device, secret);

        Assert.Equal((409, "/problems/code-used"), (answer.Status, answer.Problem().Type));
    }

    [Theory]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("")]
    [InlineData("!!!!!!!!!!!!!!!!!!!!!!")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAA")]
    public async Task Enrol_UnknownCode_IsRefused(string secret)
    {
        using var device = new TestDevice("alice");

        var answer = await _bench.EnrolAsync(device, secret);

        Assert.Equal((403, "/problems/enrolment-code"), (answer.Status, answer.Problem().Type));
    }

    [Theory]
    [InlineData(59, 200)]
    [InlineData(60, 403)]
    public async Task Enrol_Expiry_IsKept(int seconds, int status)
    {
        using var device = new TestDevice("alice");
        var secret = await _bench.MakeCodeAsync("alice", validForSeconds: 60);
        _bench.Time.Advance(TimeSpan.FromSeconds(seconds));

        Assert.Equal(status, (await _bench.EnrolAsync(device, secret)).Status);
    }

    [Fact]
    public async Task Enrol_LostDevice_ComesBackUnderItsNameWithANewKey()
    {
        using var device = await _bench.DeviceAsync("alice");
        var before = device.Key;
        device.Rekey();

        var answer = await _bench.EnrolAsync(device, await _bench.MakeCodeAsync("alice"));

        Assert.Equal(200, answer.Status);
        Assert.Equal(200, (await _bench.CallAsync(device, "getMyReceipt", "runs/r/rounds/1/receipts/mine")).Status);
        before.Dispose();
    }

    [Fact]
    public async Task Enrol_OldCodeOfTheLostDevice_DoesNotTakeTheNameBack()
    {
        using var thief = new TestDevice("alice");
        var oldCode = await _bench.MakeCodeAsync("alice");
        await _bench.EnrolAsync(thief, oldCode);
        using var owner = await _bench.DeviceAsync("alice");

        var answer = await _bench.EnrolAsync(thief, oldCode);

        Assert.Equal((403, "/problems/enrolment-code"), (answer.Status, answer.Problem().Type));
        Assert.Equal(401, (await _bench.CallAsync(thief, "getMyReceipt", "runs/r/rounds/1/receipts/mine")).Status);
    }

    [Fact]
    public async Task Enrol_CodeFromBeforeTheRevocation_IsRefused()
    {
        using var device = await _bench.DeviceAsync("alice");
        var code = await _bench.MakeCodeAsync("alice");
        await _bench.OperateAsync("revokeClient", "clients/alice/revoke");

        Assert.Equal(403, (await _bench.EnrolAsync(device, code)).Status);
        Assert.Equal(200, (await _bench.EnrolAsync(device, await _bench.MakeCodeAsync("alice"))).Status);
    }

    [Fact]
    public async Task Enrol_SignedWithAnotherKey_IsRefused()
    {
        using var device = new TestDevice("alice");
        using var other = new TestDevice("alice");
        var request = new EnrolRequest(await _bench.MakeCodeAsync("alice"), other.X, other.Y);
        var body = JsonSerializer.SerializeToUtf8Bytes(request, WireJson.Default.EnrolRequest);
        var proof = device.Sign("POST", GatewayBench.Url("enrol"), body, _bench.Nonce, _bench.Now, enrols: true);

        var answer = await _bench.SendAsync("enrol", "enrol", body, [("Authorization", proof)]);

        Assert.Equal((401, "/problems/authentication"), (answer.Status, answer.Problem().Type));
    }

    [Fact]
    public async Task Enrol_PointOffTheCurve_IsRefused()
    {
        using var device = new TestDevice("alice");
        var request = new EnrolRequest(await _bench.MakeCodeAsync("alice"), device.X, device.X);
        var body = JsonSerializer.SerializeToUtf8Bytes(request, WireJson.Default.EnrolRequest);
        var proof = device.Sign("POST", GatewayBench.Url("enrol"), body, _bench.Nonce, _bench.Now, enrols: true);

        var answer = await _bench.SendAsync("enrol", "enrol", body, [("Authorization", proof)]);

        Assert.Equal((400, "x, y"), (answer.Status, Assert.Single(answer.Problem().Problems!).Field));
    }

    [Fact]
    public async Task Enrol_CrashAfterTheCodeWasUsed_IsFinishedByTheSameRequest()
    {
        using var device = new TestDevice("alice");
        var secret = await _bench.MakeCodeAsync("alice");
        await _bench.EnrolAsync(device, secret);
        await _bench.Disk.DeleteAsync(StoreNames.Client("alice"), CancellationToken.None);
        await _bench.Disk.DeleteAsync(StoreNames.Member("default", "alice"), CancellationToken.None);

        Assert.Equal(200, (await _bench.EnrolAsync(device, secret)).Status);
        Assert.Contains(StoreNames.Member("default", "alice"), _bench.Disk.Names);
    }

    [Fact]
    public async Task CreateEnrolment_EverythingWrong_ListsEverything()
    {
        var answer = await _bench.OperateAsync(
            "createEnrolment", "enrolments", new CreateEnrolmentRequest("A b", "", 59), WireJson.Default.CreateEnrolmentRequest);

        Assert.Equal(400, answer.Status);
        Assert.Equal(["client", "population", "validForSeconds"], answer.Problem().Problems!.Select(problem => problem.Field));
    }

    [Fact]
    public async Task Revoke_Client_IsNoMemberAnyMore()
    {
        using var device = await _bench.DeviceAsync("alice");

        var answer = await _bench.OperateAsync("revokeClient", "clients/alice/revoke");

        Assert.Equal(ClientStates.Revoked, answer.Read(WireJson.Default.ClientView).State);
        Assert.DoesNotContain(StoreNames.Member("default", "alice"), _bench.Disk.Names);
        Assert.Equal(404, (await _bench.OperateAsync("revokeClient", "clients/bob/revoke")).Status);
    }

    [Fact]
    public async Task ListClients_Population_ShowsOnlyItsOwn()
    {
        using var alice = await _bench.DeviceAsync("alice");
        using var bob = new TestDevice("bob");
        await _bench.EnrolAsync(bob, await _bench.MakeCodeAsync("bob", "phones"));
        await _bench.CheckInAsync(bob);

        var all = (await _bench.OperateAsync("listClients", "clients")).Read(WireJson.Default.ListingClientView);
        var phones = (await _bench.OperateAsync("listClients", "clients?population=phones")).Read(WireJson.Default.ListingClientView);

        Assert.Equal(["alice", "bob"], all.Items.Select(client => client.Client));
        Assert.NotNull(Assert.Single(phones.Items).LastSeen);
        Assert.Null(all.Items[0].LastSeen);
    }

    public void Dispose() => _bench.Dispose();
}
