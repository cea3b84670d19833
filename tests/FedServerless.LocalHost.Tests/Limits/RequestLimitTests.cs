using System.Net;
using FedServerless.Gateway;
using FedServerless.Gateway.Limits;
using FedServerless.LocalHost.Tests.Gateway;
using FedServerless.Testing.Storage;
using FedServerless.Wire;

namespace FedServerless.LocalHost.Tests.Limits;

public sealed class RequestLimitTests
{
    private static readonly RequestLimits Small = new()
    {
        Address = new TokenRate(1, 12),
        Device = new TokenRate(1, 5),
        Operator = new TokenRate(1, 5),
        FailureCost = 4,
        TrackedSenders = 64,
    };

    [Fact]
    public async Task Public_Flood_IsRefusedWithTheTimeToWait()
    {
        using var bench = Bench();
        for (var i = 0; i < 12; i++)
        {
            Assert.Equal(200, (await bench.SendAsync("getHostVersion", "version", [], [])).Status);
        }

        var refused = await bench.SendAsync("getHostVersion", "version", [], []);

        Assert.Equal((429, "/problems/too-many-requests", "1"), (refused.Status, refused.Problem().Type, refused.Headers["Retry-After"]));
        bench.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(200, (await bench.SendAsync("getHostVersion", "version", [], [])).Status);
    }

    [Fact]
    public async Task Health_Flood_AsksTheStoreOnceASecond()
    {
        var counting = default(CountingStore);
        using var bench = new GatewayBench(wrap: inner => counting = new CountingStore(inner));
        for (var i = 0; i < 500; i++)
        {
            Assert.Equal(200, (await bench.SendAsync("getHealth", "health", [], [])).Status);
        }

        Assert.Equal(1, counting!.Operations);
    }

    [Fact]
    public async Task Address_WrongKeys_CountForFourEach()
    {
        using var bench = Bench();
        var statuses = await RepeatAsync(5, () => bench.SendAsync("listRuns", "runs", [], [("Authorization", "Bearer wrong")]));

        Assert.Equal([401, 401, 401, 429, 429], statuses);
    }

    [Fact]
    public async Task Address_OutOfTokens_CostsTheStoreNothing()
    {
        var counting = default(CountingStore);
        using var bench = new GatewayBench(new GatewayOptions { Limits = Small }, inner => counting = new CountingStore(inner));
        using var stranger = new TestDevice("stranger");
        await RepeatAsync(5, () => CallAsync(bench, stranger));
        var before = counting!.Operations;

        Assert.Equal(429, (await CallAsync(bench, stranger)).Status);
        Assert.Equal(before, counting.Operations);
    }

    [Fact]
    public async Task Address_ManyGoodDevices_DoNotTakeFromEachOther()
    {
        using var bench = Bench();
        var devices = new List<TestDevice>();
        for (var i = 0; i < 30; i++)
        {
            bench.Time.Advance(TimeSpan.FromSeconds(2));
            devices.Add(await bench.DeviceAsync($"device-{i}"));
        }

        foreach (var device in devices)
        {
            Assert.Equal(200, (await CallAsync(bench, device)).Status);
            device.Dispose();
        }
    }

    [Fact]
    public async Task Address_OneIsOut_AnotherIsServed()
    {
        using var bench = Bench();
        bench.From = IPAddress.Parse("198.51.100.1");
        await RepeatAsync(5, () => bench.SendAsync("listRuns", "runs", [], [("Authorization", "Bearer wrong")]));

        bench.From = IPAddress.Parse("198.51.100.2");

        Assert.Equal(200, (await bench.OperateAsync("listRuns", "runs")).Status);
    }

    [Fact]
    public async Task Device_BurstAndOneMore_IsAskedToWait()
    {
        using var bench = Bench();
        using var alice = await bench.DeviceAsync("alice");
        var statuses = await RepeatAsync(6, () => CallAsync(bench, alice));

        Assert.Equal([200, 200, 200, 200, 200, 429], statuses);
        bench.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(200, (await CallAsync(bench, alice)).Status);
    }

    [Fact]
    public async Task Device_SomebodySignsInItsName_IsNotCharged()
    {
        using var bench = Bench();
        using var alice = await bench.DeviceAsync("alice");
        using var mallory = new TestDevice("alice");
        bench.From = IPAddress.Parse("198.51.100.66");
        await RepeatAsync(20, () => CallAsync(bench, mallory));
        bench.From = null;

        Assert.All(await RepeatAsync(5, () => CallAsync(bench, alice)), status => Assert.Equal(200, status));
    }

    [Fact]
    public async Task Operator_BurstAndOneMore_IsAskedToWait()
    {
        using var bench = Bench();

        Assert.Equal([200, 200, 200, 200, 200, 429], await RepeatAsync(6, () => bench.OperateAsync("listRuns", "runs")));
    }

    [Fact]
    public async Task Enrolment_GuessedCodes_CountForFourEach()
    {
        using var bench = Bench();
        using var mallory = new TestDevice("mallory");

        Assert.Equal([403, 403, 403, 429], await RepeatAsync(4, () => bench.EnrolAsync(mallory, "AAAAAAAAAAAAAAAAAAAAAA")));
    }

    [Theory]
    [InlineData(-1, 200)]
    [InlineData(0, 200)]
    [InlineData(1, 414)]
    public async Task Url_AtItsLimit_IsServedAndAboveRefused(int beyond, int status)
    {
        using var bench = new GatewayBench();
        var path = "version?";
        var rest = RequestLimits.MaxUrlLength + beyond - DeviceApi.Prefix.Length - 1 - path.Length;

        Assert.Equal(status, (await bench.SendAsync("getHostVersion", path + new string('x', rest), [], [])).Status);
    }

    [Theory]
    [InlineData(-1, 200)]
    [InlineData(0, 200)]
    [InlineData(1, 431)]
    public async Task Headers_AtTheirNumber_AreServedAndAboveRefused(int beyond, int status)
    {
        using var bench = new GatewayBench();

        // Host and Content-Length are headers as well.
        var headers = Enumerable.Range(0, RequestLimits.MaxHeaders - 2 + beyond).Select(i => ($"X-{i}", "v"));

        Assert.Equal(status, (await bench.SendAsync("getHostVersion", "version", [], headers)).Status);
    }

    [Theory]
    [InlineData(-1, 200)]
    [InlineData(0, 200)]
    [InlineData(1, 431)]
    public async Task Headers_AtTheirLength_AreServedAndAboveRefused(int beyond, int status)
    {
        using var bench = new GatewayBench();
        var others = "Content-Length".Length + 1 + "Host".Length + "fed.test:7270".Length;
        var value = new string('v', RequestLimits.MaxHeadersLength + beyond - others - 1);

        Assert.Equal(status, (await bench.SendAsync("getHostVersion", "version", [], [("X", value)])).Status);
    }

    private static GatewayBench Bench() => new(new GatewayOptions { Limits = Small });

    private static Task<Answer> CallAsync(GatewayBench bench, TestDevice device) =>
        bench.CallAsync(device, "getMyReceipt", "runs/r/rounds/1/receipts/mine");

    private static async Task<List<int>> RepeatAsync(int times, Func<Task<Answer>> send)
    {
        var statuses = new List<int>();
        for (var i = 0; i < times; i++)
        {
            statuses.Add((await send()).Status);
        }

        return statuses;
    }
}
