using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using FedServerless.Wire;

namespace FedServerless.LocalHost.Tests.Gateway;

public sealed class DeviceAuthenticationTests : IDisposable
{
    private const string Path = "runs/none/rounds/1/receipts/mine";

    private readonly GatewayBench _bench = new();

    public static TheoryData<string, string> BentProofs => new()
    {
        { "typ", "JWT" },
        { "alg", "none" },
        { "alg", "HS256" },
        { "alg", "ES384" },
        { "crit", "exp" },
        { "jwk", "x" },
        { "kid", "nobody" },
        { "kid", "No Name" },
        { "htm", "POST" },
        { "htu", "http://fed.test:7270/api/v1/check-in" },
        { "htu", "http://other.test:7270/api/v1/" + Path },
        { "htu", "http://fed.test:7270/api/v1/" + Path + "?x=1" },
        { "htu", "http://fed.test:7270/api/v1/x/../" + Path },
        { "htu", "not a url" },
        { "bh", "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFV" },
        { "jti", "" },
    };

    [Fact]
    public async Task Device_SoundProof_IsAdmitted()
    {
        using var device = await _bench.DeviceAsync("alice");

        var answer = await _bench.CallAsync(device, "getMyReceipt", Path);

        Assert.Equal(200, answer.Status);
        Assert.Equal(_bench.Nonce, answer.Headers[DeviceApi.NonceHeader]);
    }

    [Theory]
    [MemberData(nameof(BentProofs))]
    public async Task Device_BentProof_IsRefused(string member, string value)
    {
        using var device = await _bench.DeviceAsync("alice");

        var answer = await SendAsync(device, (header, payload) =>
            (payload.ContainsKey(member) ? payload : header)[member] = value);

        Assert.Equal("/problems/authentication", answer.Problem().Type);
        Assert.Equal(401, answer.Status);
        Assert.Equal("FedDevice", answer.Headers["WWW-Authenticate"]);
        Assert.NotEmpty(answer.Headers[DeviceApi.NonceHeader]);
    }

    [Fact]
    public async Task Device_ForgedSignature_IsRefused()
    {
        using var device = await _bench.DeviceAsync("alice");
        using var thief = new TestDevice("alice");

        var answer = await _bench.CallAsync(thief, "getMyReceipt", Path);

        Assert.Equal((401, "/problems/authentication"), (answer.Status, answer.Problem().Type));
    }

    [Fact]
    public async Task Device_KidOfAnother_IsRefused()
    {
        using var alice = await _bench.DeviceAsync("alice");
        using var bob = await _bench.DeviceAsync("bob");

        var answer = await SendAsync(bob, (header, _) => header["kid"] = "alice");

        Assert.Equal((401, "/problems/authentication"), (answer.Status, answer.Problem().Type));
    }

    [Fact]
    public async Task Device_HmacWithThePublicKey_IsRefused()
    {
        using var device = await _bench.DeviceAsync("alice");
        var proof = device.Sign("GET", GatewayBench.Url(Path), [], _bench.Nonce, _bench.Now, bend: (header, _) => header["alg"] = "HS256");
        var signed = proof["FedDevice ".Length..proof.LastIndexOf('.')];
        var mac = HMACSHA256.HashData(Encoding.ASCII.GetBytes(device.X + device.Y), Encoding.ASCII.GetBytes(signed));

        var answer = await _bench.SendAsync("getMyReceipt", Path, [], [("Authorization", $"FedDevice {signed}.{Base64Url.EncodeToString(mac)}")]);

        Assert.Equal((401, "/problems/authentication"), (answer.Status, answer.Problem().Type));
    }

    [Theory]
    [InlineData("FedDevice a.b")]
    [InlineData("FedDevice a.b.c.d")]
    [InlineData("FedDevice ..")]
    [InlineData("FedDevice !.!.!")]
    [InlineData("FedDevice e30.e30.AA")]
    [InlineData("Bearer " + GatewayBench.OperatorKey)]
    [InlineData("")]
    public async Task Device_NoProof_IsRefused(string header)
    {
        var answer = await _bench.SendAsync("getMyReceipt", Path, [], [("Authorization", header)]);

        Assert.Equal((401, "/problems/authentication"), (answer.Status, answer.Problem().Type));
    }

    [Fact]
    public async Task Device_TwoAuthorizationHeaders_IsRefused()
    {
        using var device = await _bench.DeviceAsync("alice");
        var proof = device.Sign("GET", GatewayBench.Url(Path), [], _bench.Nonce, _bench.Now);

        var answer = await _bench.SendAsync("getMyReceipt", Path, [], [("Authorization", proof), ("Authorization", proof)]);

        Assert.Equal(401, answer.Status);
    }

    [Theory]
    [InlineData(4096, 200)]
    [InlineData(4097, 401)]
    public async Task Device_HeaderLength_IsBounded(int length, int status)
    {
        using var device = await _bench.DeviceAsync("alice");
        var answer = 0;
        for (var padding = 0; padding < 8 && answer == 0; padding++)
        {
            // Base64 grows in steps: the blank in the JSON that gives the exact length is found by trying.
            var proof = Pad(device, length, padding);
            answer = proof.Length == length ? (await _bench.SendAsync("getMyReceipt", Path, [], [("Authorization", proof)])).Status : 0;
        }

        Assert.Equal(status, answer);
    }

    [Theory]
    [InlineData(-121, "/problems/clock")]
    [InlineData(-120, null)]
    [InlineData(120, null)]
    [InlineData(121, "/problems/clock")]
    public async Task Device_ClockOff_LearnsTheServersTime(int seconds, string? problem)
    {
        using var device = await _bench.DeviceAsync("alice");

        var answer = await SendAsync(device, (_, payload) => payload["iat"] = _bench.Now + seconds);

        Assert.Equal(problem is null ? 200 : 401, answer.Status);
        if (problem is not null)
        {
            Assert.Equal((problem, _bench.Time.GetUtcNow()), (answer.Problem().Type, answer.Problem().ServerTime));
        }
    }

    [Theory]
    [InlineData(10, 200)]
    [InlineData(11, 401)]
    public async Task Device_OldNonce_IsRefusedWithAFreshOne(int minutes, int status)
    {
        using var device = await _bench.DeviceAsync("alice");
        var nonce = _bench.Nonce;
        _bench.Time.Advance(TimeSpan.FromMinutes(minutes));

        var answer = await SendAsync(device, (_, payload) => payload["nonce"] = nonce);

        Assert.Equal(status, answer.Status);
        Assert.Equal(_bench.Nonce, answer.Headers[DeviceApi.NonceHeader]);
        if (status == 401)
        {
            Assert.Equal("/problems/nonce", answer.Problem().Type);
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    public async Task Device_MadeUpNonce_IsRefused(string nonce)
    {
        using var device = await _bench.DeviceAsync("alice");

        var answer = await SendAsync(device, (_, payload) => payload["nonce"] = nonce);

        Assert.Equal("/problems/nonce", answer.Problem().Type);
    }

    [Fact]
    public async Task Device_ReplayedAfterTheWindow_IsRefused()
    {
        using var device = await _bench.DeviceAsync("alice");
        var proof = device.Sign("GET", GatewayBench.Url(Path), [], _bench.Nonce, _bench.Now);
        Assert.Equal(200, (await _bench.SendAsync("getMyReceipt", Path, [], [("Authorization", proof)])).Status);
        _bench.Time.Advance(TimeSpan.FromSeconds(DeviceApi.MaxClockSkewSeconds + 1));

        var replay = await _bench.SendAsync("getMyReceipt", Path, [], [("Authorization", proof)]);

        Assert.Equal("/problems/clock", replay.Problem().Type);
    }

    [Fact]
    public async Task Device_BodyChangedOnTheWay_IsRefused()
    {
        using var device = await _bench.DeviceAsync("alice");
        var proof = device.Sign("POST", GatewayBench.Url("check-in"), "{}"u8.ToArray(), _bench.Nonce, _bench.Now);

        var answer = await _bench.SendAsync("checkIn", "check-in", "{ }"u8.ToArray(), [("Authorization", proof)]);

        Assert.Equal((401, "/problems/authentication"), (answer.Status, answer.Problem().Type));
    }

    [Fact]
    public async Task Device_BodyOverTheLimit_IsRefused()
    {
        using var device = await _bench.DeviceAsync("alice");

        var atLimit = await _bench.CallAsync(device, "checkIn", "check-in", new byte[DeviceApi.MaxBodyBytes]);
        var above = await _bench.CallAsync(device, "checkIn", "check-in", new byte[DeviceApi.MaxBodyBytes + 1]);

        Assert.Equal((400, 413), (atLimit.Status, above.Status));
    }

    [Fact]
    public async Task Device_Revoked_IsToldSo()
    {
        using var device = await _bench.DeviceAsync("alice");
        await _bench.OperateAsync("revokeClient", "clients/alice/revoke");

        var answer = await _bench.CallAsync(device, "getMyReceipt", Path);

        Assert.Equal((403, "/problems/revoked"), (answer.Status, answer.Problem().Type));
    }

    [Theory]
    [InlineData(null, 401)]
    [InlineData("Bearer wrong", 401)]
    [InlineData("Basic " + GatewayBench.OperatorKey, 401)]
    [InlineData("Bearer " + GatewayBench.OperatorKey + "x", 401)]
    [InlineData("Bearer " + GatewayBench.OperatorKey, 200)]
    public async Task Operator_Key_IsCompared(string? header, int status)
    {
        var answer = await _bench.SendAsync("listRuns", "runs", [], header is null ? [] : [("Authorization", header)]);

        Assert.Equal(status, answer.Status);
    }

    public void Dispose() => _bench.Dispose();

    private Task<Answer> SendAsync(TestDevice device, Action<JsonObject, JsonObject> bend)
    {
        var proof = device.Sign("GET", GatewayBench.Url(Path), [], _bench.Nonce, _bench.Now, bend: bend);
        return _bench.SendAsync("getMyReceipt", Path, [], [("Authorization", proof)]);
    }

    private string Pad(TestDevice device, int length, int less)
    {
        var payload = new JsonObject
        {
            ["htm"] = "GET",
            ["htu"] = GatewayBench.Url(Path),
            ["iat"] = _bench.Now,
            ["jti"] = "a",
            ["nonce"] = _bench.Nonce,
            ["bh"] = Base64Url.EncodeToString(SHA256.HashData([])),
        }.ToJsonString();
        var header = Base64Url.EncodeToString("""{"typ":"fed+jwt","alg":"ES256","kid":"alice"}"""u8);
        var room = length - "FedDevice ".Length - header.Length - 2 - 86;
        var text = payload[..^1] + new string(' ', Math.Max(0, (room * 3 / 4) - payload.Length - less)) + "}";
        var signed = $"{header}.{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(text))}";
        return $"FedDevice {signed}.{Base64Url.EncodeToString(device.SignBytes(Encoding.ASCII.GetBytes(signed)))}";
    }
}
