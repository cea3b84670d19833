using System.Net;
using System.Text;
using System.Text.Json;
using FedServerless.Activities.State;
using FedServerless.Local.Hosting;
using FedServerless.Wire;

namespace FedServerless.LocalHost.Tests.Gateway;

/// <summary>Lines of docs/concepts/threat-model.md that no other test shows.</summary>
public sealed class ThreatTests
{
    [Fact]
    public async Task Device_EveryRequestReplayedWithinTheWindow_ChangesNothing()
    {
        using var scene = await RoundScene.OpenAsync();
        var bench = scene.Bench;
        await scene.UploadAsync(scene.Alice);
        var requests = new (string Route, string Path, byte[] Body)[]
        {
            ("checkIn", "check-in", JsonSerializer.SerializeToUtf8Bytes(new CheckInRequest(DeviceApi.Version, "test/1"), WireJson.Default.CheckInRequest)),
            ("askUploads", $"{RoundScene.Round}/uploads", JsonSerializer.SerializeToUtf8Bytes(scene.Announcement(), WireJson.Default.UploadRequest)),
            ("commitReceipt", $"{RoundScene.Round}/receipts", JsonSerializer.SerializeToUtf8Bytes(scene.Receipt("alice"), WireJson.Default.Receipt)),
            ("getMyReceipt", $"{RoundScene.Round}/receipts/mine", []),
            ("postEvaluation", $"{RoundScene.Round}/evaluations", "{}"u8.ToArray()),
        };
        var devices = bench.Table.Routes.Where(route => route.Policy == FedServerless.Gateway.Http.RoutePolicy.Device).Select(route => route.Name);
        Assert.Equal(devices.Order(StringComparer.Ordinal), requests.Select(request => request.Route).Order(StringComparer.Ordinal));

        foreach (var (route, path, body) in requests)
        {
            var proof = scene.Alice.Sign(bench.Table[route].Method, GatewayBench.Url(path), body, bench.Nonce, bench.Now);
            var first = await bench.CompleteAsync(bench.SendAsync(route, path, body, [("Authorization", proof)]));
            var before = await ContentsAsync(bench);
            var again = await bench.CompleteAsync(bench.SendAsync(route, path, body, [("Authorization", proof)]));

            // 201 says "committed", 200 the same for what was there; nothing else may differ.
            Assert.Equal(first.Status / 100, again.Status / 100);
            Assert.Equal(before, await ContentsAsync(bench));
        }
    }

    [Theory]
    [InlineData("..")]
    [InlineData("../../clients/alice")]
    [InlineData("%2e%2e%2fclients")]
    [InlineData("..\\..\\clients")]
    [InlineData("a/b")]
    [InlineData("a\0b")]
    [InlineData("~")]
    [InlineData("r~1")]
    [InlineData("")]
    public async Task Names_MadeToTraverse_ReachNothing(string name)
    {
        using var bench = new GatewayBench();
        using var alice = await bench.DeviceAsync("alice");
        var before = await ContentsAsync(bench);
        foreach (var route in bench.Table.Routes.Where(route => route.Template.Contains('{', StringComparison.Ordinal)))
        {
            var values = route.Template.Split('/').Where(segment => segment.StartsWith('{')).ToDictionary(segment => segment.Trim('{', '}'), _ => name);
            var answer = await bench.SendRoutedAsync(route.Name, values, alice);

            Assert.True(answer.Status is 404 or 400, $"{route.Name}: {answer.Status}");
        }

        Assert.Equal(before, await ContentsAsync(bench));
    }

    [Fact]
    public async Task Store_AfterARound_HoldsNoUrlAndNoSecret()
    {
        using var scene = await RoundScene.OpenAsync();
        var bench = scene.Bench;
        await bench.CheckInAsync(scene.Alice);
        await scene.UploadAndCommitAsync(scene.Alice);
        await bench.OperateAsync("getModel", "models/m");
        await bench.OperateAsync(
            "announceModel", "models/m/uploads", JsonSerializer.SerializeToUtf8Bytes(new ModelUploadRequest(Digest.Of([1]), 1000), WireJson.Default.ModelUploadRequest),
            ("Idempotency-Key", "k"));

        foreach (var (name, content) in await ContentsAsync(bench))
        {
            Assert.False(content.Contains("/blobs/", StringComparison.Ordinal) || content.Contains("sig=", StringComparison.Ordinal), name);
            Assert.False(content.Contains(GatewayBench.OperatorKey, StringComparison.Ordinal), name);
        }
    }

    [Fact]
    public void LocalHost_Default_ListensOnLoopbackOnly() =>
        Assert.True(IPAddress.IsLoopback(IPAddress.Parse(new Uri(LocalHostOptions.DefaultUrl).Host)));

    /// <summary>All that is stored but audit records and presence, which note that somebody came.</summary>
    private static async Task<SortedDictionary<string, string>> ContentsAsync(GatewayBench bench)
    {
        var contents = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var name in bench.Disk.Names)
        {
            if (!name.StartsWith(StoreNames.Audit, StringComparison.Ordinal) && !name.Contains("/presence/", StringComparison.Ordinal) && !name.StartsWith("updates/", StringComparison.Ordinal))
            {
                contents[name] = Encoding.UTF8.GetString((await bench.Disk.FindBytesAsync(name, default))!.Value.Content);
            }
        }

        return contents;
    }
}
