using System.Buffers.Text;
using System.Numerics;
using System.Security.Cryptography;
using System.Text;
using FedServerless.Gateway.About;
using FedServerless.Gateway.Http;
using Microsoft.AspNetCore.Http;

namespace FedServerless.Gateway.Authentication;

/// <summary>
/// Signs answers that a device acts on, so that it can tell its federation's from anybody's who stands in between: ES256 with a key
/// that is derived from the current master secret. The public keys of both active secrets are at <c>GET keys</c>.
/// </summary>
public sealed class ServerSigner(IServerSecrets secrets)
{
    /// <summary>The header of a signed answer.</summary>
    public const string Header = "Fed-Signature";

    /// <summary>The <c>typ</c> of a signature.</summary>
    public const string SignatureType = "fed-answer+jws";

    private const string Purpose = "fed answer signing v1";

    // FIPS 186-5, A.2.1: at least 64 bits more than the order has, so that no key is noticeably likelier than another.
    private const int ScalarSeedBytes = 48;

    private const int ScalarBytes = 32;

    /// <summary>The order of P-256's base point, FIPS 186-5 / SP 800-186, 3.2.1.3.</summary>
    private static readonly BigInteger Order = new(
        Convert.FromHexString("FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551"), isUnsigned: true, isBigEndian: true);

    private volatile Keys? _keys;

    /// <summary>The public keys, the one in use first.</summary>
    /// <exception cref="SecretsUnavailableException">There is no secret to derive them from.</exception>
    public IReadOnlyList<SigningKeyView> PublicKeys => Active().Views;

    /// <summary>
    /// A detached JWS (RFC 7515, appendix F) over an answer's body. Its protected header has <c>rq</c>, the SHA-256 of the proof that the
    /// device sent, so that an answer to one request is no answer to another.
    /// </summary>
    /// <param name="body">The body's bytes, as they are sent.</param>
    /// <param name="proof">The compact JWS of the request.</param>
    /// <exception cref="SecretsUnavailableException">There is no secret to sign with.</exception>
    public string Sign(ReadOnlySpan<byte> body, string proof)
    {
        var keys = Active();
        var request = Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(proof)));
        var header = Base64Url.EncodeToString(Encoding.ASCII.GetBytes(
            $$"""{"alg":"ES256","typ":"{{SignatureType}}","kid":"{{keys.Views[0].Kid}}","rq":"{{request}}"}"""));
        var signed = Encoding.ASCII.GetBytes($"{header}.{Base64Url.EncodeToString(body)}");
        using var key = ECDsa.Create(keys.Current);
        return $"{header}..{Base64Url.EncodeToString(key.SignData(signed, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation))}";
    }

    internal async Task<Reply> KeysAsync(RouteCall call, CancellationToken cancellationToken)
    {
        await secrets.WaitAsync(cancellationToken);
        return Reply.Json(StatusCodes.Status200OK, new SigningKeysView(PublicKeys), AboutJson.Default.SigningKeysView);
    }

    private Keys Active()
    {
        var ring = secrets.Ring;
        var keys = _keys;
        if (keys is null || !ReferenceEquals(keys.Ring, ring))
        {
            var active = ring.Active.Select(Derive).ToList();
            keys = _keys = new Keys(ring, active[0], active.Select(Describe).ToList());
        }

        return keys;
    }

    private static ECParameters Derive(MasterSecret secret)
    {
        var seed = new BigInteger(secret.Derive(Purpose, ScalarSeedBytes), isUnsigned: true, isBigEndian: true);
        var scalar = (seed % (Order - 1)) + 1;
        var d = new byte[ScalarBytes];
        scalar.TryWriteBytes(d.AsSpan(ScalarBytes - scalar.GetByteCount(isUnsigned: true)), out _, isUnsigned: true, isBigEndian: true);
        using var key = ECDsa.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, D = d });
        return key.ExportParameters(includePrivateParameters: true);
    }

    private static SigningKeyView Describe(ECParameters key)
    {
        var (x, y) = (Base64Url.EncodeToString(key.Q.X), Base64Url.EncodeToString(key.Q.Y));
        var thumbprint = SHA256.HashData(Encoding.UTF8.GetBytes($$"""{"crv":"P-256","kty":"EC","x":"{{x}}","y":"{{y}}"}"""));
        return new SigningKeyView("EC", "P-256", "sig", "ES256", Base64Url.EncodeToString(thumbprint), x, y);
    }

    private sealed record Keys(SecretRing Ring, ECParameters Current, IReadOnlyList<SigningKeyView> Views);
}

/// <summary>A public key of the server, as a JSON Web Key (RFC 7517).</summary>
/// <param name="Kty">Key type, <c>EC</c>.</param>
/// <param name="Crv">Curve, <c>P-256</c>.</param>
/// <param name="Use">What for, <c>sig</c>.</param>
/// <param name="Alg">Algorithm, <c>ES256</c>.</param>
/// <param name="Kid">RFC 7638 thumbprint: the key's name follows from the key.</param>
/// <param name="X">The point's x: 32 bytes, base64url.</param>
/// <param name="Y">The point's y: 32 bytes, base64url.</param>
public sealed record SigningKeyView(string Kty, string Crv, string Use, string Alg, string Kid, string X, string Y);

/// <summary>The server's public keys, as a JSON Web Key Set.</summary>
/// <param name="Keys">The one in use first, then the one before it.</param>
public sealed record SigningKeysView(IReadOnlyList<SigningKeyView> Keys);
