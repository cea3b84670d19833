using System.Text;
using System.Text.Json;
using FedServerless.Activities.State;
using FedServerless.Gateway.Repeats;
using FedServerless.Gateway.Upkeep;
using FedServerless.LocalHost.Tests.Gateway;
using FedServerless.Storage;
using FedServerless.Wire;

namespace FedServerless.LocalHost.Tests.Repeats;

public sealed class AnsweredRequestTests
{
    [Fact]
    public async Task Recover_SameKeyOnTwoHosts_RecoversOnceAndAnswersTheSame()
    {
        using var one = await RoundScene.OpenAsync();
        using var other = new GatewayBench(wrap: _ => one.Bench.Disk);
        other.Workflows.Started.Add("r");

        var first = await RecoverAsync(one.Bench, "k1");
        var second = await RecoverAsync(other, "k1");

        Assert.Equal((200, 200), (first.Status, second.Status));
        Assert.Equal(first.Text, second.Text);
        Assert.Equal("true", second.Headers["Idempotency-Replayed"]);
        Assert.DoesNotContain("r~1", other.Workflows.Started);
        Assert.DoesNotContain("r~2", one.Bench.Workflows.Started);
    }

    [Fact]
    public async Task Recover_SameKeyOnTwoHostsAtOnce_RecoversOnce()
    {
        using var one = await RoundScene.OpenAsync();
        using var other = new GatewayBench(wrap: _ => one.Bench.Disk);

        var answers = await Task.WhenAll(RecoverAsync(one.Bench, "k1"), RecoverAsync(other, "k1"));

        Assert.Contains(answers, answer => answer.Status == 200);
        Assert.All(answers, answer => Assert.True(answer.Status == 200 || answer.Problem().Type == "/problems/in-progress"));
        Assert.Equal(1, await one.Bench.Disk.CountAsync(StoreNames.RunRecoveries("r"), default));
    }

    [Fact]
    public async Task Recover_WithoutAKey_RecoversEachTime()
    {
        using var scene = await RoundScene.OpenAsync();
        await scene.Bench.OperateAsync("recoverRun", "runs/r/recover");
        await scene.Bench.OperateAsync("recoverRun", "runs/r/recover");

        Assert.Contains("r~2", scene.Bench.Workflows.Started);
    }

    [Fact]
    public async Task Enrolment_SameKey_MakesOneCodeAndNeverShowsItAgain()
    {
        using var one = new GatewayBench();
        using var other = new GatewayBench(wrap: _ => one.Disk);
        var body = JsonSerializer.SerializeToUtf8Bytes(new CreateEnrolmentRequest("alice"), WireJson.Default.CreateEnrolmentRequest);

        var first = await one.OperateAsync("createEnrolment", "enrolments", body, (AnsweredRequests.Header, "k1"));
        var second = await other.OperateAsync("createEnrolment", "enrolments", body, (AnsweredRequests.Header, "k1"));

        Assert.Equal((201, 409, "/problems/repeated"), (first.Status, second.Status, second.Problem().Type));
        Assert.Equal(1, await one.Disk.CountAsync(StoreNames.Enrolments, default));
        Assert.True(EnrolmentCode.TryParse(first.Read(WireJson.Default.CreateEnrolmentResponse).Code, out var code));
        foreach (var name in one.Disk.Names)
        {
            var stored = Encoding.UTF8.GetString((await one.Disk.FindBytesAsync(name, default))!.Value.Content);
            Assert.DoesNotContain(code!.Secret, stored, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Revoke_RepeatedAfterTheDeviceEnrolledAnew_DoesNotRevokeItAgain()
    {
        using var bench = new GatewayBench();
        using var alice = await bench.DeviceAsync("alice");
        Assert.Equal(200, (await bench.OperateAsync("revokeClient", "clients/alice/revoke", null, (AnsweredRequests.Header, "k1"))).Status);
        using var again = await bench.DeviceAsync("alice");

        Assert.Equal(200, (await bench.OperateAsync("revokeClient", "clients/alice/revoke", null, (AnsweredRequests.Header, "k1"))).Status);

        var view = (await bench.OperateAsync("getClient", "clients/alice")).Read(WireJson.Default.ClientView);
        Assert.Equal("enrolled", view.State);
    }

    [Fact]
    public async Task Delete_RepeatedAfterTheRunWasMadeAnew_DeletesNothing()
    {
        using var bench = new GatewayBench();
        await CreateAsync(bench);
        Assert.Equal(204, (await DeleteAsync(bench)).Status);
        await CreateAsync(bench);

        Assert.Equal(204, (await DeleteAsync(bench)).Status);

        Assert.Equal(200, (await bench.OperateAsync("getRun", "runs/r")).Status);
    }

    [Fact]
    public async Task SameKey_OtherRequest_IsRefusedAndNotDone()
    {
        using var scene = await RoundScene.OpenAsync();
        await RecoverAsync(scene.Bench, "k1");

        var answer = await scene.Bench.OperateAsync("stopRun", "runs/r/stop", null, (AnsweredRequests.Header, "k1"));

        Assert.Equal((409, "/problems/other-request"), (answer.Status, answer.Problem().Type));
        Assert.NotEqual("stopping", (await scene.Bench.OperateAsync("getRun", "runs/r")).Read(WireJson.Default.RunView).Reason);
    }

    [Fact]
    public async Task SameKey_RefusedTheFirstTime_IsTriedAgain()
    {
        using var bench = new GatewayBench();
        Assert.Equal(404, (await DeleteAsync(bench)).Status);
        await CreateAsync(bench);

        Assert.Equal(204, (await DeleteAsync(bench)).Status);
    }

    [Fact]
    public async Task SameKey_HostDiedOnTheWay_IsDoneAgainAfterAWhile()
    {
        using var bench = new GatewayBench();
        await CreateAsync(bench);
        var name = await PendingAsync(bench);

        Assert.Equal("/problems/in-progress", (await DeleteAsync(bench)).Problem().Type);
        bench.Time.Advance(AnsweredRequests.PendingFor);
        Assert.Equal(204, (await DeleteAsync(bench)).Status);
        Assert.Contains(name, bench.Disk.Names);
    }

    [Theory]
    [InlineData("")]
    [InlineData("a b")]
    [InlineData("é")]
    [InlineData(null)]
    public async Task Key_OutOfShape_IsRefused(string? key)
    {
        using var bench = new GatewayBench();
        key ??= new string('k', AnsweredRequests.MaxKeyLength + 1);

        var answer = await bench.OperateAsync("deleteRun", "runs/r", null, (AnsweredRequests.Header, key));

        Assert.Equal((400, "/problems/invalid-request"), (answer.Status, answer.Problem().Type));
    }

    [Fact]
    public async Task Key_AsLongAsItMayBe_IsTaken()
    {
        using var bench = new GatewayBench();

        Assert.Equal(404, (await bench.OperateAsync("deleteRun", "runs/r", null, (AnsweredRequests.Header, new string('k', AnsweredRequests.MaxKeyLength)))).Status);
    }

    [Fact]
    public async Task Sweep_KeyIsTwoDaysOld_IsForgotten()
    {
        using var bench = new GatewayBench();
        await CreateAsync(bench);
        await DeleteAsync(bench);

        bench.Time.Advance(AnsweredRequests.KeepFor);
        Assert.Equal(0, await bench.Get<AgeSweep>().RunAsync(default));
        bench.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(1, await bench.Get<AgeSweep>().RunAsync(default));
    }

    private static Task<Answer> RecoverAsync(GatewayBench bench, string key) =>
        bench.OperateAsync("recoverRun", "runs/r/recover", null, (AnsweredRequests.Header, key));

    private static Task<Answer> DeleteAsync(GatewayBench bench) => bench.OperateAsync("deleteRun", "runs/r", null, (AnsweredRequests.Header, "k1"));

    private static async Task CreateAsync(GatewayBench bench) => Assert.Equal(
        201, (await bench.OperateAsync("createRun", "runs", new CreateRunRequest("r", RoundScene.Spec), WireJson.Default.CreateRunRequest)).Status);

    /// <summary>What a host that died in the middle of a DELETE leaves: its pending answer.</summary>
    private static async Task<string> PendingAsync(GatewayBench bench)
    {
        using var dying = new GatewayBench(wrap: _ => new DyingStore(bench.Disk));
        await DeleteAsync(dying);
        return Assert.Single(bench.Disk.Names, name => name.StartsWith(StoreNames.Answers, StringComparison.Ordinal));
    }

    /// <summary>After its first write nothing works any more.</summary>
    private sealed class DyingStore(IObjectStore inner) : IObjectStore
    {
        private bool _isDead;

        public Task<ObjectFacts?> HeadAsync(string name, CancellationToken cancellationToken) => Alive().HeadAsync(name, cancellationToken);

        public Task<ObjectFacts?> ReadAsync(string name, long offset, Memory<byte> destination, CancellationToken cancellationToken) =>
            Alive().ReadAsync(name, offset, destination, cancellationToken);

        public Task<ObjectContent?> OpenAsync(string name, long offset, CancellationToken cancellationToken) => Alive().OpenAsync(name, offset, cancellationToken);

        public async Task<PutResult> PutAsync(string name, Stream content, long length, PutCondition condition, CancellationToken cancellationToken)
        {
            var result = await Alive().PutAsync(name, content, length, condition, cancellationToken);
            _isDead = true;
            return result;
        }

        public IAsyncEnumerable<ObjectFacts> ListAsync(string prefix, CancellationToken cancellationToken) => Alive().ListAsync(prefix, cancellationToken);

        public Task<bool> DeleteAsync(string name, CancellationToken cancellationToken) => Alive().DeleteAsync(name, cancellationToken);

        public Task<PresignedRequest> PresignGetAsync(string name, TimeSpan validFor, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<PresignedRequest> PresignCreateAsync(string name, long length, TimeSpan validFor, CancellationToken cancellationToken) => throw new NotSupportedException();

        private IObjectStore Alive() => _isDead ? throw new IOException("The host is dead.") : inner;
    }
}
