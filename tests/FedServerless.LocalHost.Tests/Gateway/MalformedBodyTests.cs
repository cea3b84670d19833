using System.IO.Pipelines;
using System.Text;
using FedServerless.Gateway.Http;
using FedServerless.Testing.Engine;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace FedServerless.LocalHost.Tests.Gateway;

/// <summary>Bodies that are JSON or nearly so and mean nothing: a refusal, never a failure of the server.</summary>
public sealed class MalformedBodyTests
{
    private const string Digest = "0000000000000000000000000000000000000000000000000000000000000000";

    private const string LoneSurrogate = "\\ud800";

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("{\"headerDigest\":\"" + Digest + "\",\"headerBytes\":1,\"parts\":null}")]
    [InlineData("{\"headerDigest\":\"" + Digest + "\",\"headerBytes\":1,\"parts\":[null]}")]
    [InlineData("{\"headerDigest\":\"" + Digest + "\",\"headerBytes\":1,\"parts\":[{\"bytes\":1,\"contentMd5\":\"" + LoneSurrogate + "\"}]}")]
    [InlineData("{\"headerDigest\":\"" + LoneSurrogate + "\",\"headerBytes\":1,\"parts\":[]}")]
    public Task Ask_BodyThatMeansNothing_IsRefused(string body) => RefusedAsync("askUploads", $"{RoundScene.Round}/uploads", body);

    [Theory]
    [InlineData("{\"client\":\"alice\",\"run\":\"r\",\"round\":1,\"baseDigest\":\"" + Digest + "\",\"headerDigest\":\"" + Digest + "\",\"bytes\":1,\"samples\":1,\"metrics\":null}")]
    [InlineData("{\"client\":\"alice\",\"run\":\"" + LoneSurrogate + "\",\"round\":1,\"baseDigest\":\"" + Digest + "\",\"headerDigest\":\"" + Digest + "\",\"bytes\":1,\"samples\":1,\"metrics\":{}}")]
    [InlineData("{\"client\":\"alice\",\"run\":\"r\",\"round\":1,\"baseDigest\":\"" + Digest + "\",\"headerDigest\":\"" + Digest + "\",\"bytes\":1,\"samples\":1,\"metrics\":{\"" + LoneSurrogate + "\":1}}")]
    [InlineData("{\"client\":\"alice\",\"run\":\"r\",\"round\":1,\"baseDigest\":\"" + Digest + "\",\"headerDigest\":\"" + Digest + "\",\"bytes\":1e30,\"samples\":1,\"metrics\":{}}")]
    public Task Commit_BodyThatMeansNothing_IsRefused(string body) => RefusedAsync("commitReceipt", $"{RoundScene.Round}/receipts", body);

    [Theory]
    [InlineData("{\"apiVersion\":1,\"sdk\":null}")]
    [InlineData("{\"apiVersion\":1,\"sdk\":\"" + LoneSurrogate + "\"}")]
    public Task CheckIn_BodyThatMeansNothing_IsRefused(string body) => RefusedAsync("checkIn", "check-in", body);

    [Fact]
    public async Task CheckIn_ConnectionResetWithinTheBody_IsNoFailureOfTheHost()
    {
        using var log = new RecordingLoggerFactory();
        using var bench = new GatewayBench(services: services => services.AddSingleton<ILogger<RouteRunner>>(new Logger<RouteRunner>(log)));
        var device = await bench.DeviceAsync("alice");
        var body = new Pipe();
        await body.Writer.CompleteAsync(new ConnectionResetException("Connection reset by peer"));

        var proof = device.Sign("POST", GatewayBench.Url("check-in"), [], bench.Nonce, bench.Now);
        var answer = await bench.SendAsync("checkIn", "check-in", [], [("Authorization", proof)], stream: body.Reader.AsStream());

        Assert.Empty(answer.Body);
        Assert.Empty(log.All);
    }

    [Fact]
    public async Task Ask_NotUtf8_IsRefused()
    {
        using var scene = await RoundScene.OpenAsync();

        Assert.Equal(400, (await scene.Bench.CallAsync(scene.Alice, "checkIn", "check-in", [.. "{\"apiVersion\":1,\"sdk\":\""u8, 0xFF, .. "\"}"u8])).Status);
    }

    [Theory]
    [InlineData("typ", LoneSurrogate)]
    [InlineData("kid", LoneSurrogate)]
    public async Task Device_HeaderThatIsNoText_IsNotAuthenticated(string member, string value)
    {
        using var scene = await RoundScene.OpenAsync();
        var header = $$"""{"typ":"fed+jwt","alg":"ES256","kid":"alice","{{member}}":"{{value}}"}""".Replace(member == "kid" ? ",\"kid\":\"alice\"" : "\"typ\":\"fed+jwt\",", "", StringComparison.Ordinal);
        var proof = $"FedDevice {System.Buffers.Text.Base64Url.EncodeToString(Encoding.UTF8.GetBytes(header))}.e30.e30";

        var answer = await scene.Bench.SendAsync("checkIn", "check-in", [], [("Authorization", proof)]);

        Assert.Equal(401, answer.Status);
    }

    private static async Task RefusedAsync(string route, string path, string body)
    {
        using var scene = await RoundScene.OpenAsync();

        var answer = await scene.Bench.CallAsync(scene.Alice, route, path, Encoding.UTF8.GetBytes(body));

        Assert.Equal((400, "/problems/invalid-request"), (answer.Status, answer.Problem().Type));
    }
}
