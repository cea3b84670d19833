using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace FedServerless.LocalHost.Tests.Gateway;

/// <summary>A device with a key of its own that signs as docs/concepts/device-authentication.md says; tests bend one thing at a time.</summary>
internal sealed class TestDevice(string client) : IDisposable
{
    public string Client { get; } = client;

    public ECDsa Key { get; private set; } = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public string X => Base64Url.EncodeToString(Key.ExportParameters(false).Q.X);

    public string Y => Base64Url.EncodeToString(Key.ExportParameters(false).Q.Y);

    /// <summary>Lost and found again: another key.</summary>
    public void Rekey() => Key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    /// <summary>The header of a correct request, after <paramref name="bend"/>.</summary>
    public string Sign(string method, string url, byte[] body, string nonce, long iat, bool enrols = false, Action<JsonObject, JsonObject>? bend = null)
    {
        var header = new JsonObject { ["typ"] = "fed+jwt", ["alg"] = "ES256" };
        if (!enrols)
        {
            header["kid"] = Client;
        }

        var payload = new JsonObject
        {
            ["htm"] = method,
            ["htu"] = url,
            ["iat"] = iat,
            ["jti"] = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(16)),
            ["nonce"] = nonce,
            ["bh"] = Base64Url.EncodeToString(SHA256.HashData(body)),
        };
        bend?.Invoke(header, payload);
        var signed = $"{Encode(header)}.{Encode(payload)}";
        return $"FedDevice {signed}.{Base64Url.EncodeToString(SignBytes(Encoding.ASCII.GetBytes(signed)))}";
    }

    public byte[] SignBytes(byte[] content) =>
        Key.SignData(content, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);

    public void Dispose() => Key.Dispose();

    private static string Encode(JsonObject part) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(part.ToJsonString()));
}
