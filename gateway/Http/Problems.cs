using FedServerless.Gateway.Authentication;
using FedServerless.Wire;

namespace FedServerless.Gateway.Http;

/// <summary>Every kind of refusal that the gateway answers with; docs/concepts/http-api.md lists the types.</summary>
public static class Problems
{
    /// <summary>Malformed input: what it is and all that is wrong with it.</summary>
    public static ProblemDetails Invalid(string detail, IReadOnlyList<Problem> problems) =>
        new("/problems/invalid-request", "The request is not valid", 400, detail, problems);

    /// <summary>A spec that cannot run, with everything that is wrong with it.</summary>
    public static ProblemDetails InvalidSpec(IReadOnlyList<Problem> problems) =>
        new("/problems/invalid-spec", "The run's specification is not valid", 400, "Nothing was stored.", problems);

    /// <summary>There is no such thing.</summary>
    public static ProblemDetails NotFound(string detail) => new("/problems/not-found", "Not found", 404, detail);

    /// <summary>No route of this path and method.</summary>
    public static ProblemDetails Transport(int status) => status switch
    {
        405 => new("/problems/method", "Method not allowed", 405, "The path exists, but not with this method; see the Allow header."),
        404 => new("/problems/not-found", "Not found", 404, "No such route; GET /api/v1/openapi.json lists them."),
        413 => TooLarge(DeviceApi.MaxBodyBytes),
        _ => new("/problems/transport", "The request could not be read", status),
    };

    /// <summary>A body over the limit.</summary>
    public static ProblemDetails TooLarge(long limit) =>
        new("/problems/too-large", "The request is too large", 413, $"A body has at most {limit} bytes here.");

    /// <summary>A path and query over the limit.</summary>
    public static ProblemDetails UrlTooLong(int limit) =>
        new("/problems/too-large", "The URL is too long", 414, $"Path and query have at most {limit} characters here.");

    /// <summary>Headers over the limit.</summary>
    public static ProblemDetails HeadersTooLarge(int count, int length) =>
        new("/problems/too-large", "The headers are too large", 431, $"There are at most {count} headers with {length} characters in all here.");

    /// <summary>The sender asks too much; Retry-After says when it may ask again.</summary>
    public static ProblemDetails TooMany(string detail) => new("/problems/too-many-requests", "Too many requests", 429, detail);

    /// <summary>It stands already, and differently.</summary>
    public static ProblemDetails Conflict(string type, string title, string detail) => new(type, title, 409, detail);

    /// <summary>What was asked does not fit the state things are in.</summary>
    public static ProblemDetails WrongState(string detail) => new("/problems/wrong-state", "Not in this state", 409, detail);

    /// <summary>The caller did not prove who it is. The detail never tells the expected value.</summary>
    public static ProblemDetails Unauthenticated(string detail) => new("/problems/authentication", "Not authenticated", 401, detail);

    /// <summary>The operator is known and may not do this.</summary>
    public static ProblemDetails Role(OperatorRoles needed, OperatorRoles given) =>
        new("/problems/role", "Not allowed", 403, $"This needs one of the roles {needed}; the caller has {given}.");

    /// <summary>Something that the host needs does not answer. Nothing was done; the same request succeeds later.</summary>
    public static ProblemDetails Unavailable(string detail) => new("/problems/unavailable", "Not available now", 503, detail);

    /// <summary>The proof's time is off; the answer tells the server's.</summary>
    public static ProblemDetails Clock(DateTimeOffset now) =>
        new("/problems/clock", "The request's time is off", 401,
            $"iat may differ by {DeviceApi.MaxClockSkewSeconds} s from the server's clock.", ServerTime: now);

    /// <summary>The proof's nonce is not fresh; the response's header has one that is.</summary>
    public static ProblemDetails Nonce() =>
        new("/problems/nonce", "A fresh nonce is needed", 401, $"Repeat the request with the nonce in the {DeviceApi.NonceHeader} header.");

    /// <summary>The client was revoked.</summary>
    public static ProblemDetails Revoked(string client) =>
        new("/problems/revoked", "The client was revoked", 403, $"'{client}' takes part again once it enrols with a new code.");

    /// <summary>The client is in quarantine.</summary>
    public static ProblemDetails Quarantined(string client, string reason) =>
        new("/problems/quarantined", "The client is in quarantine", 403, $"'{client}' takes part again once an operator releases it: {reason}.");

    /// <summary>It belongs to another client, or to a round in which the caller was not selected.</summary>
    public static ProblemDetails NotYours(string detail) => new("/problems/not-yours", "Not yours", 403, detail);

    /// <summary>The round takes no more of this.</summary>
    public static ProblemDetails Closed(string detail) => new("/problems/closed", "The round is closed", 410, detail);

    /// <summary>The SDK speaks a version that the server does not serve.</summary>
    public static ProblemDetails ApiVersion(int version) =>
        new("/problems/api-version", "Unsupported API version", 426, $"Version {version} is not served; this server serves {DeviceApi.Version}.",
            [new Problem("apiVersion", version.ToString(), $"at least {DeviceApi.Version} and at most {DeviceApi.Version}")]);

    /// <summary>The store or the journal is full.</summary>
    public static ProblemDetails StoreFull() =>
        new("/problems/store-full", "The store is full", 507, "Nothing was stored. The same request succeeds once there is room.");

    /// <summary>A privacy ledger is not what was written: nothing goes on before a person has looked.</summary>
    public static ProblemDetails LedgerBroken(string detail) => new("/problems/ledger-broken", "The privacy ledger is broken", 409, detail);

    /// <summary>The server's own fault.</summary>
    public static ProblemDetails Internal(string trace) =>
        new("/problems/internal", "The server failed", 500, $"The request may be repeated. The server's log has the reason under {trace}.");
}
