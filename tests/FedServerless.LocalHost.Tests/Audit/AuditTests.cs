using System.Net;
using System.Text;
using FedServerless.Activities.State;
using FedServerless.Gateway;
using FedServerless.Gateway.Audit;
using FedServerless.Gateway.Http;
using FedServerless.Gateway.Upkeep;
using FedServerless.LocalHost.Tests.Gateway;
using FedServerless.Testing.Storage;
using FedServerless.Wire;

namespace FedServerless.LocalHost.Tests.Audit;

public sealed class AuditTests
{
    [Fact]
    public async Task Operator_EveryRequestThatChangesSomething_LeavesOneRecord()
    {
        using var bench = new GatewayBench();
        foreach (var route in bench.Table.Routes.Where(route => route is { Policy: RoutePolicy.Operator, Method: not "GET" }))
        {
            var before = (await RecordsAsync(bench)).Count;
            var path = route.Template.Replace("{run}", "r", StringComparison.Ordinal).Replace("{model}", "m", StringComparison.Ordinal).Replace("{client}", "alice", StringComparison.Ordinal);
            await bench.OperateAsync(route.Name, path);

            var records = await RecordsAsync(bench);
            Assert.Equal(before + 1, records.Count);
            Assert.Equal((route.Name, "operator", "operator-key"), (records[^1].Action, records[^1].Actor, records[^1].Id));
        }
    }

    [Fact]
    public async Task Operator_HangsUpInTheMiddleOfAChange_IsWrittenDown()
    {
        using var caller = new CancellationTokenSource();
        using var bench = new GatewayBench(wrap: inner => new FaultInjectingStore(inner, write =>
        {
            if (write.Name.StartsWith(StoreNames.Enrolments, StringComparison.Ordinal))
            {
                caller.Cancel();
            }

            return StoreFault.None;
        }));
        var body = System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(new CreateEnrolmentRequest("alice", "all", 60), WireJson.Default.CreateEnrolmentRequest);

        await bench.SendAsync("createEnrolment", "enrolments", body, [("Authorization", $"Bearer {GatewayBench.OperatorKey}")], aborted: caller.Token);

        Assert.True(caller.IsCancellationRequested);
        Assert.Equal(("createEnrolment", 201), (Assert.Single(await RecordsAsync(bench)).Action, (await RecordsAsync(bench))[0].Status));
    }

    [Fact]
    public async Task Operator_ChangeFailsHalfWay_IsWrittenDown()
    {
        using var bench = new GatewayBench(wrap: inner => new FaultInjectingStore(
            inner, write => write.Name.StartsWith(StoreNames.Enrolments, StringComparison.Ordinal) ? StoreFault.Full : StoreFault.None));

        await bench.OperateAsync("createEnrolment", "enrolments", new CreateEnrolmentRequest("alice", "all", 60), WireJson.Default.CreateEnrolmentRequest);

        var record = Assert.Single(await RecordsAsync(bench));
        Assert.Equal(("createEnrolment", 507, "/problems/store-full"), (record.Action, record.Status, record.Problem));
    }

    [Fact]
    public async Task Operator_Looks_LeaveNoRecord()
    {
        using var bench = new GatewayBench();
        await bench.OperateAsync("listRuns", "runs");
        await bench.OperateAsync("getAudit", "audit");

        Assert.Empty(await RecordsAsync(bench));
    }

    [Fact]
    public async Task Record_SaysWhoWhatOnWhatWithWhichOutcomeFromWhere()
    {
        using var bench = new GatewayBench { From = IPAddress.Parse("198.51.100.7") };
        await bench.MakeCodeAsync("alice");
        await bench.OperateAsync("stopRun", "runs/nobody/stop");

        var records = await RecordsAsync(bench);
        Assert.Equal(("createEnrolment", "clients/alice", 201, null, "198.51.100.7", 1), Brief(records[0]));
        Assert.Equal(("stopRun", "runs/nobody/stop", 404, "/problems/not-found", "198.51.100.7", 1), Brief(records[1]));
        Assert.Equal(bench.Time.GetUtcNow(), records[0].Time);
    }

    [Fact]
    public async Task Record_PathThatForgesLines_IsKeptOnOneAndVisible()
    {
        using var bench = new GatewayBench();
        await bench.OperateAsync("stopRun", "runs/r\n\u001b[2J\u202eok/stop");

        Assert.Equal("runs/r\ufffd\ufffd[2J\ufffdok/stop", Assert.Single(await RecordsAsync(bench)).Subject);
    }

    [Fact]
    public async Task Record_OfACode_HoldsNoSecret()
    {
        using var bench = new GatewayBench();
        using var alice = new TestDevice("alice");
        var secret = await bench.MakeCodeAsync("alice");
        await bench.EnrolAsync(alice, secret);

        foreach (var name in bench.Disk.Names.Where(name => name.StartsWith(StoreNames.Audit, StringComparison.Ordinal)))
        {
            var text = Encoding.UTF8.GetString((await bench.Disk.FindBytesAsync(name, default))!.Value.Content);
            Assert.DoesNotContain(secret, text, StringComparison.Ordinal);
            Assert.DoesNotContain(GatewayBench.OperatorKey, text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Enrolment_FirstAndAgainWithAnotherKey_IsToldWithGenerationAndKey()
    {
        using var bench = new GatewayBench();
        using var first = await bench.DeviceAsync("alice");
        using var second = await bench.DeviceAsync("alice");

        var enrolments = (await RecordsAsync(bench)).Where(record => record.Action == "enrol").ToList();
        Assert.Equal(["clients/alice", "clients/alice"], enrolments.Select(record => record.Subject));
        Assert.StartsWith("generation 1 with key ", enrolments[0].Detail, StringComparison.Ordinal);
        Assert.StartsWith("generation 2 with key ", enrolments[1].Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Enrolment_RepeatedAThousandTimes_LeavesAHandfulOfRecords()
    {
        using var bench = new GatewayBench();
        using var alice = new TestDevice("alice");
        var secret = await bench.MakeCodeAsync("alice");
        for (var i = 0; i < 900; i++)
        {
            Assert.Equal(200, (await bench.EnrolAsync(alice, secret)).Status);
        }

        Assert.Equal(2, (await RecordsAsync(bench)).Count(record => record.Action == "enrol"));
    }

    [Fact]
    public async Task Revoked_StillTries_IsToldOnceAMinuteWithACount()
    {
        using var bench = new GatewayBench();
        using var alice = await bench.DeviceAsync("alice");
        await bench.OperateAsync("revokeClient", "clients/alice/revoke");
        for (var i = 0; i < 10; i++)
        {
            await bench.CallAsync(alice, "getMyReceipt", "runs/r/rounds/1/receipts/mine");
        }

        bench.Time.Advance(TimeSpan.FromMinutes(1));
        await bench.CallAsync(alice, "getMyReceipt", "runs/r/rounds/1/receipts/mine");

        var refusals = (await RecordsAsync(bench)).Where(record => record.Problem == "/problems/revoked").ToList();
        Assert.Equal([("unproven", "alice", 1), ("unproven", "alice", 10)], refusals.Select(record => (record.Actor, record.Id, record.Count)));
    }

    [Fact]
    public async Task Refusals_FloodFromManyAddresses_DoNotFillTheStore()
    {
        using var bench = new GatewayBench();
        for (var i = 0; i < 5000; i++)
        {
            bench.From = new IPAddress([10, 1, (byte)(i >> 8), (byte)i]);
            await bench.SendAsync("listRuns", "runs", [], [("Authorization", "Bearer wrong")]);
        }

        bench.Time.Advance(TimeSpan.FromMinutes(1));
        await bench.SendAsync("listRuns", "runs", [], [("Authorization", "Bearer wrong")]);

        var records = await RecordsAsync(bench);
        Assert.Equal(31, records.Count);
        Assert.Contains("other addresses", records[^1].Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Subject_MadeToBreakLogs_IsOneBoundedString()
    {
        using var bench = new GatewayBench();
        await bench.OperateAsync("stopRun", "runs/a\nEVIL {\"actor\":\"operator\"}" + new string('x', 1000) + "/stop");

        var record = Assert.Single(await RecordsAsync(bench));
        Assert.Equal(200, record.Subject.Length);
        var name = Assert.Single(bench.Disk.Names, name => name.StartsWith(StoreNames.Audit, StringComparison.Ordinal));
        Assert.DoesNotContain((byte)'\n', (await bench.Disk.FindBytesAsync(name, default))!.Value.Content);
    }

    [Fact]
    public async Task Chain_EveryRecord_NamesTheOneBeforeIt()
    {
        using var bench = new GatewayBench();
        for (var i = 0; i < 5; i++)
        {
            await bench.MakeCodeAsync($"device-{i}");
        }

        var names = bench.Disk.Names.Where(name => name.StartsWith(StoreNames.Audit, StringComparison.Ordinal)).Order(StringComparer.Ordinal).ToList();
        var records = await RecordsAsync(bench);
        Assert.Equal([1, 2, 3, 4, 5], records.Select(record => record.Number));
        Assert.Null(records[0].Previous);
        for (var i = 1; i < records.Count; i++)
        {
            Assert.Equal(Digest.Of((await bench.Disk.FindBytesAsync(names[i - 1], default))!.Value.Content), records[i].Previous);
        }
    }

    [Fact]
    public async Task Page_MoreThanOne_GoesOnWhereItEnded()
    {
        using var bench = new GatewayBench(new GatewayOptions { Limits = new() { Operator = new(1, 10_000) } });
        for (var i = 0; i <= AuditViews.MaxPage; i++)
        {
            await bench.OperateAsync("stopRun", "runs/r/stop");
        }

        var first = (await bench.OperateAsync("getAudit", "audit?day=2026-01-01")).Read(WireJson.Default.AuditPage);
        var second = (await bench.OperateAsync("getAudit", $"audit?day=2026-01-01&after={first.Next}")).Read(WireJson.Default.AuditPage);

        Assert.Equal((AuditViews.MaxPage, 1), (first.Records.Count, second.Records.Count));
        Assert.Null(second.Next);
        Assert.Equal(AuditViews.MaxPage + 1, second.Records[0].Number);
    }

    [Theory]
    [InlineData("audit?day=2026-1-1", "day")]
    [InlineData("audit?day=../../runs", "day")]
    [InlineData("audit?after=../x", "after")]
    public async Task Page_OutOfShape_IsRefused(string path, string field)
    {
        using var bench = new GatewayBench();

        var answer = await bench.OperateAsync("getAudit", path);

        Assert.Equal((400, field), (answer.Status, answer.Problem().Problems!.Single().Field));
    }

    [Fact]
    public async Task Change_CannotBeWrittenDown_IsNotAnsweredAsDone()
    {
        using var bench = new GatewayBench(wrap: inner => FaultInjectingStore.At(inner, 3, StoreFault.FailBefore));

        var answer = await bench.OperateAsync("createRun", "runs", new CreateRunRequest("r", RoundScene.Spec), WireJson.Default.CreateRunRequest);

        Assert.InRange(answer.Status, 500, 599);
        Assert.Equal(200, (await bench.OperateAsync("createRun", "runs", new CreateRunRequest("r", RoundScene.Spec), WireJson.Default.CreateRunRequest)).Status);
    }

    [Fact]
    public async Task Refusal_CannotBeWrittenDown_IsRefusedAllTheSame()
    {
        using var bench = new GatewayBench(wrap: inner => FaultInjectingStore.At(inner, 1, StoreFault.FailBefore));

        Assert.Equal(401, (await bench.SendAsync("listRuns", "runs", [], [])).Status);
    }

    [Fact]
    public async Task Sweep_RecordsPastTheirRetention_GoByTheDay()
    {
        using var bench = new GatewayBench();
        await bench.MakeCodeAsync("alice");
        bench.Time.Advance(TimeSpan.FromDays(1));
        await bench.MakeCodeAsync("bob");

        bench.Time.Advance(new UpkeepOptions().KeepAuditFor - TimeSpan.FromDays(1));
        Assert.Equal(0, await bench.Get<AgeSweep>().RunAsync(default));
        bench.Time.Advance(TimeSpan.FromDays(1));
        Assert.Equal(1, await bench.Get<AgeSweep>().RunAsync(default));
    }

    private static (string, string, int, string?, string, int) Brief(AuditRecord record) =>
        (record.Action, record.Subject, record.Status, record.Problem, record.Address, record.Count);

    private static async Task<IReadOnlyList<AuditRecord>> RecordsAsync(GatewayBench bench)
    {
        var day = DateOnly.FromDateTime(bench.Time.GetUtcNow().UtcDateTime);
        return (await bench.OperateAsync("getAudit", FormattableString.Invariant($"audit?day={day:yyyy-MM-dd}"))).Read(WireJson.Default.AuditPage).Records;
    }
}
