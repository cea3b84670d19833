using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace FedServerless.Platform.Tests.StandIns;

/// <summary>One version of the vault's secret.</summary>
internal sealed record StoredVersion(string Name, string Value, long Created)
{
    public bool Enabled { get; init; } = true;

    public long? NotBefore { get; init; }

    public long? Expires { get; init; }
}

/// <summary>
/// Speaks what the real clients say to Key Vault (challenge, versions in pages, one version) and to the endpoint that gives a managed
/// identity its tokens on App Service and Functions.
/// </summary>
internal sealed class VaultStandIn : IAsyncDisposable
{
    public const string Header = "the-header-of-the-identity-endpoint";

    public static readonly Uri Uri = new("https://fed-test.vault.azure.net");

    private const string Token = "token-of-the-stand-in";

    private StandInServer _server = null!;

    /// <summary>The identity that gets tokens: another each time, because the client library keeps tokens for the whole process.</summary>
    public string ClientId { get; } = Guid.NewGuid().ToString();

    /// <summary>The versions, in the order they are listed.</summary>
    public List<StoredVersion> Versions { get; } = [];

    /// <summary>Versions on a page.</summary>
    public int PageSize { get; set; } = 25;

    /// <summary>Requests that were let in, as method and path.</summary>
    public ConcurrentQueue<string> Asked { get; } = new();

    /// <summary>When each request came.</summary>
    public ConcurrentQueue<long> Times { get; } = new();

    /// <summary>Requests for a token.</summary>
    public ConcurrentQueue<string> TokensAsked { get; } = new();

    /// <summary>Listings so far.</summary>
    public int Listings => Asked.Count(path => path.EndsWith("/versions", StringComparison.Ordinal));

    /// <summary>Answers instead of the vault, once each.</summary>
    public ConcurrentQueue<RequestDelegate> Faults { get; } = new();

    /// <summary>Answers instead of the vault, always; null for none.</summary>
    public RequestDelegate? Fault { get; set; }

    /// <summary>When versions are made, in seconds.</summary>
    public Func<long> Clock { get; set; } = static () => 1;

    /// <summary>Whether the identity gets tokens.</summary>
    public bool GivesTokens { get; set; } = true;

    public StandInServer Server => _server;

    public static async Task<VaultStandIn> StartAsync()
    {
        var vault = new VaultStandIn();
        vault._server = await StandInServer.StartAsync([Uri.Host], vault.AnswerAsync);
        return vault;
    }

    /// <summary>A version with a secret of its own.</summary>
    public StoredVersion Add(string name, long created)
    {
        var version = new StoredVersion(name, Base64Url.EncodeToString(Enumerable.Repeat((byte)Versions.Count, 32).ToArray()), created);
        Versions.Add(version);
        return version;
    }

    /// <summary>Answers as Key Vault does when it refuses.</summary>
    public static RequestDelegate Refuse(int status, string code, string message, params (string Name, string Value)[] headers) => async http =>
    {
        foreach (var (name, value) in headers)
        {
            http.Response.Headers[name] = value;
        }

        await WriteAsync(http, status, new JsonObject { ["error"] = new JsonObject { ["code"] = code, ["message"] = message } });
    };

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private async Task AnswerAsync(HttpContext http)
    {
        if (http.Request.Path == "/msi/token")
        {
            await GiveTokenAsync(http);
            return;
        }

        if (http.Request.Headers.Authorization != $"Bearer {Token}")
        {
            http.Response.Headers.WWWAuthenticate =
                "Bearer authorization=\"https://login.microsoftonline.com/0b2a1f60-5d0e-4c3e-9d0a-7f1f6f1c2e11\", resource=\"https://vault.azure.net\"";
            await WriteAsync(http, 401, new JsonObject { ["error"] = new JsonObject { ["code"] = "Unauthorized", ["message"] = "AKV10000: Request is missing a Bearer or PoP token." } });
            return;
        }

        Asked.Enqueue($"{http.Request.Method} {http.Request.Path}");
        Times.Enqueue(TimeProvider.System.GetTimestamp());
        if (Faults.TryDequeue(out var fault) || (fault = Fault) is not null)
        {
            await fault(http);
            return;
        }

        if (http.Request.Method == "PUT")
        {
            await SetAsync(http);
            return;
        }

        var segments = http.Request.Path.Value!.Split('/', StringSplitOptions.RemoveEmptyEntries);
        await (segments is ["secrets", "fed-master", "versions"] ? ListAsync(http) : GetAsync(http, segments.ElementAtOrDefault(2) ?? ""));
    }

    // https://learn.microsoft.com/azure/app-service/overview-managed-identity, api-version 2019-08-01.
    private async Task GiveTokenAsync(HttpContext http)
    {
        var query = http.Request.Query;
        TokensAsked.Enqueue(query["resource"].ToString());
        if (!GivesTokens || http.Request.Headers["X-IDENTITY-HEADER"] != Header || query["client_id"] != ClientId)
        {
            await WriteAsync(http, 400, new JsonObject { ["statusCode"] = 400, ["message"] = "No managed identity was found for the given parameters." });
            return;
        }

        await WriteAsync(http, 200, new JsonObject
        {
            ["access_token"] = Token,
            ["client_id"] = ClientId,
            ["expires_on"] = $"{DateTimeOffset.UtcNow.AddDays(1).ToUnixTimeSeconds()}",
            ["resource"] = query["resource"].ToString(),
            ["token_type"] = "Bearer",
        });
    }

    private Task ListAsync(HttpContext http)
    {
        var skip = int.TryParse(http.Request.Query["$skiptoken"], out var given) ? given : 0;
        var page = new JsonObject { ["value"] = new JsonArray([.. Versions.Skip(skip).Take(PageSize).Select(version => (JsonNode)Describe(version))]) };
        if (skip + PageSize < Versions.Count)
        {
            page["nextLink"] = $"{Uri}secrets/fed-master/versions?api-version=7.5&$skiptoken={skip + PageSize}";
        }

        return WriteAsync(http, 200, page);
    }

    private async Task SetAsync(HttpContext http)
    {
        var body = (await JsonNode.ParseAsync(http.Request.Body))!;
        var version = new StoredVersion($"made{Versions.Count}", body["value"]!.GetValue<string>(), Clock());
        Versions.Add(version);
        await WriteAsync(http, 200, Describe(version));
    }

    private Task GetAsync(HttpContext http, string name)
    {
        var version = Versions.SingleOrDefault(version => version.Name == name);
        if (version is null)
        {
            return Refuse(404, "SecretNotFound", "A secret with (name/id) fed-master was not found in this key vault. If you recently deleted this secret you may be able to recover it using the correct recovery command.")(http);
        }

        if (!version.Enabled)
        {
            return Refuse(403, "Forbidden", "Operation get is not allowed on a disabled secret.")(http);
        }

        var secret = Describe(version);
        secret["value"] = version.Value;
        return WriteAsync(http, 200, secret);
    }

    private static JsonObject Describe(StoredVersion version)
    {
        var attributes = new JsonObject { ["enabled"] = version.Enabled, ["created"] = version.Created, ["updated"] = version.Created };
        if (version.NotBefore is { } notBefore)
        {
            attributes["nbf"] = notBefore;
        }

        if (version.Expires is { } expires)
        {
            attributes["exp"] = expires;
        }

        return new JsonObject { ["id"] = $"{Uri}secrets/fed-master/{version.Name}", ["attributes"] = attributes };
    }

    private static async Task WriteAsync(HttpContext http, int status, JsonObject body)
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = "application/json; charset=utf-8";
        await http.Response.WriteAsync(body.ToJsonString());
    }
}
