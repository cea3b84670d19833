using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using FedServerless.Wire;

namespace FedServerless.Client.Http;

/// <summary>Makes the proofs of docs/concepts/device-authentication.md: a compact JWS over one request, signed with the device's key.</summary>
internal sealed class RequestSigner : IDisposable
{
    private const int JtiBytes = 16;

    private readonly ECDsa _key;
    private readonly Lock _gate = new();

    public RequestSigner(string privateKeyPem)
    {
        _key = ECDsa.Create();
        try
        {
            _key.ImportFromPem(privateKeyPem);
        }
        catch (Exception problem) when (problem is ArgumentException or CryptographicException)
        {
            _key.Dispose();
            throw new FedClientException("The device's private key cannot be read. Enrol again with a new code.", problem);
        }
    }

    /// <summary>The public key's coordinates, base64url of 32 bytes each.</summary>
    public (string X, string Y) PublicKey()
    {
        var point = _key.ExportParameters(includePrivateParameters: false).Q;
        return (Base64Url.EncodeToString(point.X), Base64Url.EncodeToString(point.Y));
    }

    /// <summary>The proof of one request.</summary>
    /// <param name="client">The client id; null while enrolling, when the key is in the body.</param>
    /// <param name="method">The HTTP method.</param>
    /// <param name="url">The absolute URL as sent.</param>
    /// <param name="issuedAt">The server's time as far as the device knows it.</param>
    /// <param name="nonce">The last nonce seen; empty for none.</param>
    /// <param name="body">The body; empty where there is none.</param>
    public string Sign(string? client, string method, string url, DateTimeOffset issuedAt, string nonce, ReadOnlySpan<byte> body)
    {
        var header = Json(writer =>
        {
            writer.WriteString("typ", DeviceApi.ProofType);
            writer.WriteString("alg", "ES256");
            if (client is not null)
            {
                writer.WriteString("kid", client);
            }
        });
        var bodyHash = Base64Url.EncodeToString(SHA256.HashData(body));
        var payload = Json(writer =>
        {
            writer.WriteString("htm", method);
            writer.WriteString("htu", url);
            writer.WriteNumber("iat", issuedAt.ToUnixTimeSeconds());
            writer.WriteString("jti", Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(JtiBytes)));
            writer.WriteString("nonce", nonce);
            writer.WriteString("bh", bodyHash);
        });
        var signed = $"{header}.{payload}";
        byte[] signature;
        lock (_gate)
        {
            signature = _key.SignData(
                Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        }

        return $"{signed}.{Base64Url.EncodeToString(signature)}";
    }

    public void Dispose() => _key.Dispose();

    private static string Json(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            write(writer);
            writer.WriteEndObject();
        }

        return Base64Url.EncodeToString(buffer.WrittenSpan);
    }
}
