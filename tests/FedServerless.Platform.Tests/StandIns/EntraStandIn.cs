using System.Security.Cryptography;
using System.Text.Json.Nodes;
using FedServerless.Functions.Platform.Operators;
using Microsoft.AspNetCore.Http;
using Microsoft.IdentityModel.Tokens;

namespace FedServerless.Platform.Tests.StandIns;

/// <summary>An authority with keys of its own: it gives out its metadata and its public keys, and signs tokens.</summary>
internal sealed class EntraStandIn : IAsyncDisposable
{
    public const string Tenant = "0b2a1f60-5d0e-4c3e-9d0a-7f1f6f1c2e11";

    public const string Audience = "c7c0de00-1111-4222-8333-444455556666";

    public static readonly EntraOptions Options = new(Tenant, Audience, new Uri("https://login.microsoftonline.com"));

    // Made once for all tests: a key takes a tenth of a second.
    private static readonly System.Collections.Concurrent.ConcurrentDictionary<string, RSA> Made = new();

    private readonly List<(string Kid, RSA Key)> _published = [];

    public StandInServer Server { get; private set; } = null!;

    /// <summary>How often the metadata was asked for.</summary>
    public int Asked { get; private set; }

    /// <summary>Answers instead of the authority; null for none.</summary>
    public RequestDelegate? Fault { get; set; }

    /// <summary>Where the metadata says the keys are.</summary>
    public string KeysUri { get; set; } = $"https://login.microsoftonline.com/{Tenant}/discovery/v2.0/keys";

    public static async Task<EntraStandIn> StartAsync()
    {
        var entra = new EntraStandIn();
        entra.Server = await StandInServer.StartAsync(["login.microsoftonline.com", "elsewhere.example"], entra.AnswerAsync);
        entra.Publish("k1");
        return entra;
    }

    /// <summary>A key that is not published, of whoever.</summary>
    public static RSA Foreign => Made.GetOrAdd("foreign", _ => RSA.Create(2048));

    /// <summary>Makes a key and publishes it.</summary>
    public void Publish(string kid) => _published.Add((kid, Made.GetOrAdd(kid, _ => RSA.Create(2048))));

    /// <summary>Takes a key back.</summary>
    public void Withdraw(string kid) => _published.RemoveAll(known => known.Kid == kid);

    public RSA Key(string kid) => _published.Single(known => known.Kid == kid).Key;

    /// <summary>A token as Entra ID makes them, version 2.0, bent as the test wants.</summary>
    public string Sign(DateTimeOffset now, Action<JsonObject>? bend = null, string kid = "k1", RSA? key = null, Action<JsonObject>? bendHeader = null)
    {
        var header = new JsonObject { ["typ"] = "JWT", ["alg"] = "RS256", ["kid"] = kid };
        var payload = new JsonObject
        {
            ["aud"] = Audience,
            ["iss"] = $"https://login.microsoftonline.com/{Tenant}/v2.0",
            ["iat"] = now.ToUnixTimeSeconds(),
            ["nbf"] = now.ToUnixTimeSeconds(),
            ["exp"] = now.AddHours(1).ToUnixTimeSeconds(),
            ["oid"] = "11111111-2222-4333-8444-555555555555",
            ["tid"] = Tenant,
            ["preferred_username"] = "ada@example.org",
            ["roles"] = new JsonArray("Federation.Operator"),
            ["ver"] = "2.0",
        };
        bend?.Invoke(payload);
        bendHeader?.Invoke(header);
        var signed = $"{Encode(header)}.{Encode(payload)}";
        var signature = (key ?? Key(kid)).SignData(System.Text.Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        return $"{signed}.{Base64UrlEncoder.Encode(signature)}";
    }

    public static string Encode(JsonObject part) => Base64UrlEncoder.Encode(part.ToJsonString());

    public ValueTask DisposeAsync() => Server.DisposeAsync();

    private async Task AnswerAsync(HttpContext http)
    {
        var isMetadata = http.Request.Path == $"/{Tenant}/v2.0/.well-known/openid-configuration";
        Asked += isMetadata ? 1 : 0;
        if (Fault is not null)
        {
            await Fault(http);
            return;
        }

        if (isMetadata)
        {
            await WriteAsync(http, new JsonObject { ["issuer"] = $"https://login.microsoftonline.com/{Tenant}/v2.0", ["jwks_uri"] = KeysUri });
        }
        else if (http.Request.Path == $"/{Tenant}/discovery/v2.0/keys")
        {
            await WriteAsync(http, new JsonObject { ["keys"] = new JsonArray([.. _published.Select(known => (JsonNode)Describe(known.Kid, known.Key))]) });
        }
        else
        {
            http.Response.StatusCode = 404;
        }
    }

    private static JsonObject Describe(string kid, RSA key)
    {
        var parameters = key.ExportParameters(includePrivateParameters: false);
        return new JsonObject
        {
            ["kty"] = "RSA",
            ["use"] = "sig",
            ["kid"] = kid,
            ["n"] = Base64UrlEncoder.Encode(parameters.Modulus),
            ["e"] = Base64UrlEncoder.Encode(parameters.Exponent),
        };
    }

    private static async Task WriteAsync(HttpContext http, JsonObject body)
    {
        http.Response.ContentType = "application/json";
        await http.Response.WriteAsync(body.ToJsonString());
    }
}
