using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using FedServerless.Functions.Platform.Operators;
using FedServerless.Gateway.Authentication;
using FedServerless.Platform.Tests.StandIns;
using Microsoft.IdentityModel.Tokens;

namespace FedServerless.Platform.Tests.Operators;

/// <summary>Who is let in, with tokens that were really signed, by a tool of our own rather than the library that checks them.</summary>
public sealed class EntraOperatorAuthenticatorTests : IAsyncLifetime
{
    private EntraBench _bench = null!;

    public async ValueTask InitializeAsync() => _bench = await EntraBench.StartAsync();

    public ValueTask DisposeAsync() => _bench.DisposeAsync();

    [Fact]
    public async Task Token_OfAPerson_HasItsIdNameAndRole()
    {
        var caller = await _bench.AdmitAsync(Sign());

        Assert.Equal(new OperatorCaller("11111111-2222-4333-8444-555555555555", "ada@example.org", OperatorRoles.Operator), caller);
    }

    [Fact]
    public async Task Token_OfAProgramInVersionOne_IsAdmittedUnderItsAppId()
    {
        var caller = await _bench.AdmitAsync(Sign(payload =>
        {
            payload["iss"] = $"https://sts.windows.net/{EntraStandIn.Tenant}/";
            payload["aud"] = $"api://{EntraStandIn.Audience}";
            payload["ver"] = "1.0";
            payload["appid"] = "an-app";
            payload["roles"] = new JsonArray("Federation.Reader");
            payload.Remove("preferred_username");
        }));

        Assert.Equal(new OperatorCaller("11111111-2222-4333-8444-555555555555", "an-app", OperatorRoles.Reader), caller);
    }

    [Theory]
    [InlineData(OperatorRoles.None)]
    [InlineData(OperatorRoles.None, "federation.operator")]
    [InlineData(OperatorRoles.None, "Federation.Operators", "Admin")]
    [InlineData(OperatorRoles.Reader, "Federation.Reader")]
    [InlineData(OperatorRoles.Enroller | OperatorRoles.Reader, "Federation.Enroller", "Federation.Reader")]
    [InlineData(OperatorRoles.Operator, "Federation.Operator", "Other")]
    public async Task Token_Roles_AreTheNamesWeKnow(OperatorRoles expected, params string[] roles)
    {
        var caller = await _bench.AdmitAsync(Sign(payload => payload["roles"] = new JsonArray([.. roles.Select(role => (JsonNode)role)])));

        Assert.Equal(expected, caller.Roles);
    }

    [Fact]
    public async Task Token_WithoutRolesClaim_IsKnownAndMayDoNothing() =>
        Assert.Equal(OperatorRoles.None, (await _bench.AdmitAsync(Sign(payload => payload.Remove("roles")))).Roles);

    [Theory]
    [InlineData("https://login.microsoftonline.com/99999999-5d0e-4c3e-9d0a-7f1f6f1c2e11/v2.0")]
    [InlineData("https://login.microsoftonline.com/0b2a1f60-5d0e-4c3e-9d0a-7f1f6f1c2e11/v2.0/")]
    [InlineData("https://sts.windows.net/0b2a1f60-5d0e-4c3e-9d0a-7f1f6f1c2e11")]
    [InlineData("https://evil.example/0b2a1f60-5d0e-4c3e-9d0a-7f1f6f1c2e11/v2.0")]
    [InlineData("")]
    public async Task Token_OfAnotherIssuer_IsRefused(string issuer) =>
        Assert.Contains("issuer", (await _bench.RefuseAsync(Sign(payload => payload["iss"] = issuer))).Detail, StringComparison.Ordinal);

    [Fact]
    public async Task Token_OfAnotherTenantByItsTid_IsRefused() =>
        Assert.Contains("tenant", (await _bench.RefuseAsync(Sign(payload => payload["tid"] = Guid.NewGuid().ToString()))).Detail, StringComparison.Ordinal);

    [Theory]
    [InlineData("00000003-0000-0000-c000-000000000000")]
    [InlineData("https://management.azure.com")]
    [InlineData("api://c7c0de00-1111-4222-8333-444455556667")]
    [InlineData("")]
    public async Task Token_ForAnotherApplication_IsRefused(string audience) =>
        Assert.Contains("another application", (await _bench.RefuseAsync(Sign(payload => payload["aud"] = audience))).Detail, StringComparison.Ordinal);

    [Theory]
    [InlineData(-3600, -301, false)]
    [InlineData(-3600, -300, false)]
    [InlineData(-3600, -299, true)]
    [InlineData(300, 3600, true)]
    [InlineData(301, 3600, false)]
    public async Task Token_Lifetime_HasFiveMinutesOfGraceAtBothEnds(int notBefore, int expires, bool admitted)
    {
        var token = Sign(payload =>
        {
            payload["nbf"] = _bench.Now.AddSeconds(notBefore).ToUnixTimeSeconds();
            payload["exp"] = _bench.Now.AddSeconds(expires).ToUnixTimeSeconds();
        });

        if (admitted)
        {
            await _bench.AdmitAsync(token);
        }
        else
        {
            Assert.Contains("expired", (await _bench.RefuseAsync(token)).Detail, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Token_WithoutEnd_IsRefused() => await _bench.RefuseAsync(Sign(payload => payload.Remove("exp")));

    [Fact]
    public async Task Token_WithoutAnybody_IsRefused() =>
        Assert.Contains("nobody", (await _bench.RefuseAsync(Sign(payload => payload.Remove("oid")))).Detail, StringComparison.Ordinal);

    [Fact]
    public async Task Token_AlgorithmNone_IsRefused()
    {
        var parts = Sign(bendHeader: header => header["alg"] = "none").Split('.');

        Assert.Contains("RS256", (await _bench.RefuseAsync(string.Join('.', parts))).Detail, StringComparison.Ordinal);
        await _bench.RefuseAsync($"{parts[0]}.{parts[1]}.");
    }

    [Theory]
    [InlineData("der")]
    [InlineData("pem")]
    [InlineData("modulus")]
    public async Task Token_HmacUnderThePublicKey_IsRefused(string form)
    {
        // The classic confusion: the verifier takes the RSA public key for the secret of an HMAC.
        var key = _bench.Entra.Key("k1");
        var secret = form switch
        {
            "der" => key.ExportSubjectPublicKeyInfo(),
            "pem" => Encoding.ASCII.GetBytes(key.ExportSubjectPublicKeyInfoPem()),
            _ => key.ExportParameters(false).Modulus!,
        };
        var parts = Sign(bendHeader: header => header["alg"] = "HS256").Split('.');
        var mac = HMACSHA256.HashData(secret, Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}"));

        Assert.Contains("RS256", (await _bench.RefuseAsync($"{parts[0]}.{parts[1]}.{Base64UrlEncoder.Encode(mac)}")).Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("RS384")]
    [InlineData("PS256")]
    [InlineData("ES256")]
    public async Task Token_OtherAlgorithm_IsRefused(string algorithm) =>
        await _bench.RefuseAsync(Sign(bendHeader: header => header["alg"] = algorithm));

    [Fact]
    public async Task Token_KeyInItsOwnHeader_IsRefused()
    {
        var own = EntraStandIn.Foreign;
        var jwk = JsonWebKeyConverter.ConvertFromRSASecurityKey(new RsaSecurityKey(own.ExportParameters(false)));

        await _bench.RefuseAsync(_bench.Entra.Sign(_bench.Now, key: own, bendHeader: header =>
        {
            header["jwk"] = new JsonObject { ["kty"] = "RSA", ["n"] = jwk.N, ["e"] = jwk.E };
            header["jku"] = "https://elsewhere.example/keys";
        }));
    }

    [Fact]
    public async Task Token_BitsTurned_IsRefused()
    {
        var parts = Sign().Split('.');
        var other = EntraStandIn.Encode(new JsonObject { ["roles"] = new JsonArray("Federation.Operator") });
        var signature = Base64UrlEncoder.DecodeBytes(parts[2]);
        signature[100] ^= 1;

        await _bench.RefuseAsync($"{parts[0]}.{parts[1]}.{Base64UrlEncoder.Encode(signature)}");
        await _bench.RefuseAsync($"{parts[0]}.{other}.{parts[2]}");
    }

    [Theory]
    [InlineData("")]
    [InlineData("x")]
    [InlineData("a.b.c")]
    [InlineData("....")]
    [InlineData("e30.e30.")]
    [InlineData("e30.e30.e30.e30.e30")]
    public async Task Token_Garbage_IsRefused(string token) => await _bench.RefuseAsync(token);

    [Fact]
    public async Task Token_LongerThanTheLimit_IsRefusedUnread()
    {
        var token = new string('a', EntraOperatorAuthenticator.MaxTokenLength + 1);

        await _bench.RefuseAsync(token);
        await _bench.RefuseAsync($"{token}.{token}.{token}");
        Assert.Equal(0, _bench.Entra.Asked);
    }

    [Fact]
    public async Task Request_WithoutABearerToken_IsNobodys()
    {
        Assert.Null(await _bench.CallAsync());
        Assert.Null(await _bench.CallAsync("Basic YTpi"));
        Assert.Null(await _bench.CallAsync($"Bearer {Sign()}", $"Bearer {Sign()}"));
    }

    private string Sign(Action<JsonObject>? bend = null, Action<JsonObject>? bendHeader = null) => _bench.Entra.Sign(_bench.Now, bend, bendHeader: bendHeader);
}
