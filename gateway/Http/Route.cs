using System.Text.Json.Serialization.Metadata;
using FedServerless.Gateway.Authentication;

namespace FedServerless.Gateway.Http;

/// <summary>Who may call a route.</summary>
public enum RoutePolicy
{
    /// <summary>Operators.</summary>
    Operator = 0,

    /// <summary>Enrolled devices, each request signed with the enrolled key.</summary>
    Device,

    /// <summary>A device that is not enrolled yet: signed with the key in the body.</summary>
    DeviceEnrol,

    /// <summary>Anyone.</summary>
    Public,
}

/// <summary>One row of the HTTP surface. A host binds it to its transport; everything else is here.</summary>
public sealed record Route
{
    /// <summary>Stable name of the operation: OpenAPI's <c>operationId</c> and the name of the Functions trigger.</summary>
    public required string Name { get; init; }

    /// <summary>HTTP method.</summary>
    public required string Method { get; init; }

    /// <summary>Path below <see cref="Wire.DeviceApi.Prefix"/>, without a leading slash.</summary>
    public required string Template { get; init; }

    /// <summary>Who may call it.</summary>
    public required RoutePolicy Policy { get; init; }

    /// <summary>Which operators, of <see cref="RoutePolicy.Operator"/>: whoever may look for a GET, else those who may do everything.</summary>
    public OperatorRoles Roles
    {
        get => field == OperatorRoles.None && Policy == RoutePolicy.Operator ? Default(Method) : field;
        init;
    }

    /// <summary>A sentence for people.</summary>
    public required string Summary { get; init; }

    /// <summary>The body's type, or null for none.</summary>
    public JsonTypeInfo? Request { get; init; }

    /// <summary>The body's type of a success, or null for none.</summary>
    public JsonTypeInfo? Response { get; init; }

    /// <summary>Query parameters and what they mean.</summary>
    public IReadOnlyList<(string Name, string Summary)> Query { get; init; } = [];

    /// <summary>Status codes of successes and of the refusals particular to it.</summary>
    public IReadOnlyList<int> Statuses { get; init; } = [200];

    /// <summary>True where an answer holds a code or a pre-signed URL, which is stored nowhere.</summary>
    public bool ShowsSecret { get; init; }

    /// <summary>True for a device's routes that are open to one in quarantine, too. Default false.</summary>
    public bool InQuarantine { get; init; }

    /// <summary>What it does.</summary>
    public required Func<RouteCall, CancellationToken, Task<Reply>> Handler { get; init; }

    private static OperatorRoles Default(string method) =>
        method == "GET" ? OperatorRoles.Operator | OperatorRoles.Reader : OperatorRoles.Operator;
}
