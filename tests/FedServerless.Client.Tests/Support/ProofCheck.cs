using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace FedServerless.Client.Tests.Support;

/// <summary>Reads a device's proof as docs/concepts/device-authentication.md words it; shares no code with the SDK.</summary>
internal sealed record ProofCheck(string? Kid, string Method, string Url, DateTimeOffset IssuedAt, string Jti, string Nonce, string BodyHash)
{
    private byte[] _signed = [];
    private byte[] _signature = [];

    public static ProofCheck Read(HttpRequestMessage request)
    {
        var values = request.Headers.GetValues("Authorization").ToArray();
        Assert.Single(values);
        Assert.True(values[0].Length <= 4096, "The Authorization header is over 4 KiB.");
        Assert.StartsWith("FedDevice ", values[0], StringComparison.Ordinal);
        var parts = values[0]["FedDevice ".Length..].Split('.');
        Assert.Equal(3, parts.Length);
        var header = JsonDocument.Parse(Base64Url.DecodeFromChars(parts[0])).RootElement;
        var payload = JsonDocument.Parse(Base64Url.DecodeFromChars(parts[1])).RootElement;
        Assert.Equal("fed+jwt", header.GetProperty("typ").GetString());
        Assert.Equal("ES256", header.GetProperty("alg").GetString());
        var jti = payload.GetProperty("jti").GetString()!;
        Assert.Equal(16, Base64Url.DecodeFromChars(jti).Length);
        return new ProofCheck(
            header.TryGetProperty("kid", out var kid) ? kid.GetString() : null,
            payload.GetProperty("htm").GetString()!,
            payload.GetProperty("htu").GetString()!,
            DateTimeOffset.FromUnixTimeSeconds(payload.GetProperty("iat").GetInt64()),
            jti,
            payload.GetProperty("nonce").GetString()!,
            payload.GetProperty("bh").GetString()!)
        {
            _signed = Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}"),
            _signature = Base64Url.DecodeFromChars(parts[2]),
        };
    }

    public void Verify(HttpRequestMessage request, byte[] body, string x, string y)
    {
        using var key = ECDsa.Create(new ECParameters
        {
            Curve = ECCurve.NamedCurves.nistP256,
            Q = new ECPoint { X = Base64Url.DecodeFromChars(x), Y = Base64Url.DecodeFromChars(y) },
        });
        Assert.Equal(64, _signature.Length);
        Assert.True(key.VerifyData(_signed, _signature, HashAlgorithmName.SHA256), "The proof's signature is not the enrolled key's.");
        Assert.Equal(request.Method.Method, Method);
        Assert.Equal(request.RequestUri!.AbsoluteUri, Url);
        Assert.Equal(Base64Url.EncodeToString(SHA256.HashData(body)), BodyHash);
    }
}
