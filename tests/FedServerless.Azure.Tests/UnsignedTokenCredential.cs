using System.Buffers.Text;
using System.Text.Json;
using Azure.Core;

namespace FedServerless.Azure.Tests;

/// <summary>A token in the shape of Entra's. Azurite looks at issuer, audience and times, never at the signature.</summary>
internal sealed class UnsignedTokenCredential : TokenCredential
{
    private int _asked;

    public int Asked => _asked;

    public override AccessToken GetToken(TokenRequestContext requestContext, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _asked);
        var now = DateTimeOffset.UtcNow;
        var expires = now.AddHours(1);
        var header = Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(new { typ = "JWT", alg = "RS256" }));
        var payload = Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(new
        {
            iss = "https://sts.windows.net/00000000-0000-0000-0000-000000000000/",
            aud = "https://storage.azure.com",
            iat = now.AddMinutes(-5).ToUnixTimeSeconds(),
            nbf = now.AddMinutes(-5).ToUnixTimeSeconds(),
            exp = expires.ToUnixTimeSeconds(),
            oid = "00000000-0000-0000-0000-000000000001",
            tid = "00000000-0000-0000-0000-000000000000",
        }));
        return new AccessToken($"{header}.{payload}.{Base64Url.EncodeToString("none"u8)}", expires);
    }

    public override ValueTask<AccessToken> GetTokenAsync(TokenRequestContext requestContext, CancellationToken cancellationToken) =>
        ValueTask.FromResult(GetToken(requestContext, cancellationToken));
}
