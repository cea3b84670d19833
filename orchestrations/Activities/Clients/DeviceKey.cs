using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace FedServerless.Activities.Clients;

/// <summary>A device's public key: a point on P-256.</summary>
public sealed class DeviceKey
{
    private const int CoordinateBytes = 32;

    private const int SignatureBytes = 2 * CoordinateBytes;

    private readonly ECParameters _parameters;

    private DeviceKey(ECParameters parameters, string x, string y)
    {
        _parameters = parameters;
        X = x;
        Y = y;
        Thumbprint = Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes($$"""{"crv":"P-256","kty":"EC","x":"{{x}}","y":"{{y}}"}""")));
    }

    /// <summary>The point's x: 32 bytes, base64url without padding.</summary>
    public string X { get; }

    /// <summary>The point's y: 32 bytes, base64url without padding.</summary>
    public string Y { get; }

    /// <summary>RFC 7638 thumbprint: base64url of the SHA-256 of the canonical JSON Web Key.</summary>
    public string Thumbprint { get; }

    /// <summary>Reads a key; null for anything that is not a point on the curve, each coordinate as 32 bytes in canonical base64url.</summary>
    public static DeviceKey? TryCreate(string? x, string? y)
    {
        if (Decode(x) is not { } px || Decode(y) is not { } py)
        {
            return null;
        }

        var parameters = new ECParameters { Curve = ECCurve.NamedCurves.nistP256, Q = new ECPoint { X = px, Y = py } };
        try
        {
            parameters.Validate();
            using var imported = ECDsa.Create(parameters);
            return new DeviceKey(parameters, x!, y!);
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    /// <summary>True when the signature is this key's ES256 over the content: 64 bytes, r then s.</summary>
    public bool Verify(ReadOnlySpan<byte> content, ReadOnlySpan<byte> signature)
    {
        if (signature.Length != SignatureBytes)
        {
            return false;
        }

        using var key = ECDsa.Create(_parameters);
        return key.VerifyData(content, signature, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
    }

    private static byte[]? Decode(string? text)
    {
        if (text is null || text.Length != 43 || !Base64Url.IsValid(text))
        {
            return null;
        }

        var bytes = Base64Url.DecodeFromChars(text);

        // One spelling per point: the thumbprint is taken over the text.
        return bytes.Length == CoordinateBytes && Base64Url.EncodeToString(bytes) == text ? bytes : null;
    }
}
