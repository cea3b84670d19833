using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using FedServerless.Gateway.Authentication;
using FedServerless.Wire;

namespace FedServerless.LocalHost.Tests.Gateway;

public sealed class ServerSignerTests
{
    private static readonly byte[] Body = """{"retryAfterSeconds":5}"""u8.ToArray();

    // Worked out with Python: HKDF-SHA256 of 32 zero bytes (no salt, info "fed answer signing v1", 48 bytes), mod n-1, plus 1, times G
    // in affine arithmetic, and the thumbprint of that point.
    private const string GoldenKid = "Htk1gjNcRutKy5hvoOwId7HlTuUFTbk3RmugCZnkKDI";

    [Fact]
    public void PublicKeys_KnownSecret_AreThoseWorkedOutElsewhere()
    {
        var key = Assert.Single(Signer(new SecretRing(Secret(0))).PublicKeys);

        Assert.Equal(GoldenKid, key.Kid);
        Assert.Equal(("EC", "P-256", "sig", "ES256"), (key.Kty, key.Crv, key.Use, key.Alg));
    }

    [Fact]
    public void Sign_Answer_IsVerifiedWithThePublishedKey()
    {
        var signer = Signer(new SecretRing(Secret(1)));

        Assert.True(Verifies(signer.Sign(Body, "a.b.c"), Body, "a.b.c", signer.PublicKeys));
    }

    [Fact]
    public void Sign_OtherBodyOrRequest_IsNoAnswerToIt()
    {
        var signer = Signer(new SecretRing(Secret(1)));
        var signature = signer.Sign(Body, "a.b.c");

        Assert.False(Verifies(signature, [.. Body, 0x20], "a.b.c", signer.PublicKeys));
        Assert.False(Verifies(signature, Body, "a.b.d", signer.PublicKeys));
    }

    [Fact]
    public void PublicKeys_AfterARotation_HaveTheOldOneToo()
    {
        var old = Signer(new SecretRing(Secret(1)));
        var rotated = Signer(new SecretRing(Secret(2), Secret(1)));

        Assert.Equal(old.PublicKeys[0], rotated.PublicKeys[1]);
        Assert.NotEqual(rotated.PublicKeys[0].Kid, rotated.PublicKeys[1].Kid);
        Assert.True(Verifies(old.Sign(Body, "p"), Body, "p", rotated.PublicKeys));
        Assert.False(Verifies(rotated.Sign(Body, "p"), Body, "p", old.PublicKeys));
    }

    [Fact]
    public async Task CheckIn_Answer_IsSignedForThisRequestWithAKeyOfTheKeysRow()
    {
        using var bench = new GatewayBench();
        var device = await bench.DeviceAsync("edge");
        var body = JsonSerializer.SerializeToUtf8Bytes(new CheckInRequest(DeviceApi.Version, "tests"), WireJson.Default.CheckInRequest);
        var proof = device.Sign("POST", GatewayBench.Url("check-in"), body, bench.Nonce, bench.Now);

        var answer = await bench.CompleteAsync(bench.SendAsync("checkIn", "check-in", body, [("Authorization", proof)]));

        Assert.Equal(200, answer.Status);
        var keys = await bench.SendAsync("getKeys", "keys", [], []);
        var published = JsonSerializer.Deserialize<SigningKeysView>(keys.Body, JsonSerializerOptions.Web)!.Keys;
        Assert.True(Verifies(answer.Headers[ServerSigner.Header], answer.Body, proof[(DeviceApi.AuthorizationScheme.Length + 1)..], published));
    }

    private static ServerSigner Signer(SecretRing ring) => new(new FixedSecrets(ring));

    private static MasterSecret Secret(byte seed) => new($"{seed}", Enumerable.Repeat(seed, 32).ToArray());

    /// <summary>What a device does.</summary>
    private static bool Verifies(string signature, byte[] body, string proof, IReadOnlyList<SigningKeyView> keys)
    {
        var parts = signature.Split('.');
        Assert.Equal(3, parts.Length);
        Assert.Empty(parts[1]);
        var header = JsonDocument.Parse(Base64Url.DecodeFromChars(parts[0])).RootElement;
        Assert.Equal("ES256", header.GetProperty("alg").GetString());
        var key = keys.SingleOrDefault(key => key.Kid == header.GetProperty("kid").GetString());
        if (key is null || header.GetProperty("rq").GetString() != Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(proof))))
        {
            return false;
        }

        using var point = ECDsa.Create(new ECParameters
        {
            Curve = ECCurve.NamedCurves.nistP256,
            Q = new ECPoint { X = Base64Url.DecodeFromChars(key.X), Y = Base64Url.DecodeFromChars(key.Y) },
        });
        return point.VerifyData(
            Encoding.ASCII.GetBytes($"{parts[0]}.{Base64Url.EncodeToString(body)}"), Base64Url.DecodeFromChars(parts[2]),
            HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
    }
}
