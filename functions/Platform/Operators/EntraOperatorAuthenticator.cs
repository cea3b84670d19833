using FedServerless.Gateway.Authentication;
using FedServerless.Gateway.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace FedServerless.Functions.Platform.Operators;

/// <summary>
/// <c>Authorization: Bearer TOKEN</c> with an access token of Entra ID, of people and of programs. Everything is checked here, on every
/// request: nothing in front of the host is relied on.
/// </summary>
internal sealed class EntraOperatorAuthenticator(EntraKeys keys, EntraOptions options, TimeProvider time) : IOperatorAuthenticator
{
    /// <summary>Longest token. Entra ID's have two or three thousand characters, more with many groups.</summary>
    public const int MaxTokenLength = 16 * 1024;

    private const string Scheme = "Bearer ";

    private static readonly JsonWebTokenHandler Handler = new() { MaximumTokenSizeInBytes = MaxTokenLength, MapInboundClaims = false };

    private readonly string[] _issuers =
    [
        $"https://login.microsoftonline.com/{options.TenantId}/v2.0",
        $"https://sts.windows.net/{options.TenantId}/",
        $"{options.Authority.GetLeftPart(UriPartial.Authority)}/{options.TenantId}/v2.0",
    ];

    /// <inheritdoc/>
    public async Task<OperatorCaller?> AuthenticateAsync(HttpContext context, CancellationToken cancellationToken)
    {
        var headers = context.Request.Headers.Authorization;
        if (headers.Count != 1 || headers[0] is not { } header || !header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }

        var text = header[Scheme.Length..].Trim();
        if (Parse(text) is not { } token)
        {
            throw Refuse("The token is not a signed JSON web token.");
        }

        // The algorithm is ours to choose: neither 'none' nor an HMAC under the public key gets as far as a key.
        if (token.Alg != SecurityAlgorithms.RsaSha256 || string.IsNullOrEmpty(token.Kid))
        {
            throw Refuse("The token's algorithm is not RS256, or it names no key.");
        }

        var result = await Handler.ValidateTokenAsync(token, Parameters(await KeyAsync(token.Kid, cancellationToken)));
        return result.IsValid ? Caller(token) : throw Refuse(Explain(result.Exception));
    }

    private static JsonWebToken? Parse(string text)
    {
        if (text.Length is 0 or > MaxTokenLength || text.Count(c => c == '.') != 2 || !Handler.CanReadToken(text))
        {
            return null;
        }

        try
        {
            return Handler.ReadJsonWebToken(text);
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    private async Task<SecurityKey> KeyAsync(string kid, CancellationToken cancellationToken)
    {
        try
        {
            return await keys.FindAsync(kid, cancellationToken) ?? throw Refuse("The token is signed with a key that the tenant does not have.");
        }
        catch (EntraUnavailableException unavailable)
        {
            throw new ProblemException(Problems.Unavailable(unavailable.Message));
        }
    }

    private TokenValidationParameters Parameters(SecurityKey key) => new()
    {
        ValidAlgorithms = [SecurityAlgorithms.RsaSha256],
        IssuerSigningKey = key,
        TryAllIssuerSigningKeys = false,
        RequireSignedTokens = true,
        ValidIssuers = _issuers,
        ValidAudiences = [options.Audience, $"api://{options.Audience}"],
        RequireExpirationTime = true,
        ClockSkew = options.Skew,
        LifetimeValidator = IsAlive,
    };

    // With our clock; the library's own is the machine's.
    private bool IsAlive(DateTime? notBefore, DateTime? expires, SecurityToken token, TokenValidationParameters parameters)
    {
        var now = time.GetUtcNow().UtcDateTime;
        return expires is { } end && now < end + options.Skew && !(notBefore > now + options.Skew);
    }

    private OperatorCaller Caller(JsonWebToken token)
    {
        // Both versions of tokens name their tenant; a signature of the right key says the same, but this is cheap.
        if (Claim(token, "tid") is { } tenant && !string.Equals(tenant, options.TenantId, StringComparison.OrdinalIgnoreCase))
        {
            throw Refuse("The token is of another tenant.");
        }

        var id = Claim(token, "oid") ?? Claim(token, "sub") ?? throw Refuse("The token names nobody: it has neither oid nor sub.");
        var name = Claim(token, "preferred_username") ?? Claim(token, "upn") ?? Claim(token, "name")
            ?? Claim(token, "app_displayname") ?? Claim(token, "azp") ?? Claim(token, "appid") ?? id;
        return new OperatorCaller(id, name, AppRoles.Read(token));
    }

    private static string? Claim(JsonWebToken token, string name) =>
        token.TryGetPayloadValue<string>(name, out var value) && value.Length > 0 ? value : null;

    // What was wrong, never what would have been right.
    private static string Explain(Exception? exception) => exception switch
    {
        SecurityTokenInvalidIssuerException => "The token's issuer is not the operators' tenant.",
        SecurityTokenInvalidAudienceException => "The token is for another application.",
        SecurityTokenExpiredException or SecurityTokenNotYetValidException or SecurityTokenInvalidLifetimeException or SecurityTokenNoExpirationException =>
            "The token has expired, is not valid yet, or never expires.",
        SecurityTokenSignatureKeyNotFoundException or SecurityTokenInvalidSignatureException or SecurityTokenInvalidAlgorithmException =>
            "The token's signature is not that of its key.",
        _ => "The token is not valid.",
    };

    private static ProblemException Refuse(string detail) => new(Problems.Unauthenticated(detail));
}
