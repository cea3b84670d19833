using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using System.Text.Json.Serialization.Metadata;
using System.Text.RegularExpressions;
using FedServerless.Gateway.Http;
using FedServerless.Wire;

namespace FedServerless.Gateway.About;

/// <summary>OpenAPI 3.1, written from the table and the source-generated JSON types: it cannot say anything else than what is served.</summary>
internal static partial class OpenApiDocument
{
    private const string ProblemType = "application/problem+json";

    private static readonly JsonSchemaExporterOptions Exporter = new()
    {
        TreatNullObliviousAsNonNullable = true,
        TransformSchemaNode = static (context, schema) => context.TypeInfo.Type == typeof(Digest)
            ? new JsonObject { ["type"] = "string", ["pattern"] = "^[0-9a-f]{64}$", ["description"] = "SHA-256, hexadecimal." }
            : schema,
    };

    /// <summary>The document as UTF-8.</summary>
    public static byte[] Write(IEnumerable<Route> routes)
    {
        var schemas = new SortedDictionary<string, JsonNode>(StringComparer.Ordinal);
        var paths = new JsonObject();
        foreach (var path in routes.GroupBy(route => $"{DeviceApi.Prefix}/{route.Template}"))
        {
            paths[path.Key] = new JsonObject(path.Select(route =>
                KeyValuePair.Create(route.Method.ToLowerInvariant(), (JsonNode?)Operation(route, schemas))));
        }

        Reference(WireJson.Default.ProblemDetails, schemas);
        var document = new JsonObject
        {
            ["openapi"] = "3.1.0",
            ["info"] = new JsonObject { ["title"] = "FedServerless", ["version"] = $"{DeviceApi.Version}" },
            ["paths"] = paths,
            ["components"] = new JsonObject
            {
                ["schemas"] = new JsonObject(schemas.Select(schema => KeyValuePair.Create(schema.Key, (JsonNode?)schema.Value))),
                ["securitySchemes"] = SecuritySchemes(),
            },
        };
        return Encoding.UTF8.GetBytes(document.ToJsonString(new JsonSerializerOptions(WireJson.Default.Options) { WriteIndented = true }));
    }

    private static JsonObject Operation(Route route, SortedDictionary<string, JsonNode> schemas)
    {
        var operation = new JsonObject
        {
            ["operationId"] = route.Name,
            ["summary"] = route.Summary,
            ["security"] = route.Policy switch
            {
                RoutePolicy.Operator => new JsonArray(new JsonObject { ["operator"] = new JsonArray() }),
                RoutePolicy.Device or RoutePolicy.DeviceEnrol => new JsonArray(new JsonObject { ["device"] = new JsonArray() }),
                _ => new JsonArray(),
            },
        };
        var parameters = PathParameter().Matches(route.Template).Select(match => Parameter(match.Groups[1].Value, "path", null))
            .Concat(route.Query.Select(query => Parameter(query.Name, "query", query.Summary)))
            .ToArray<JsonNode?>();
        if (parameters.Length > 0)
        {
            operation["parameters"] = new JsonArray(parameters);
        }

        if (route.Request is { } request)
        {
            operation["requestBody"] = new JsonObject { ["required"] = true, ["content"] = Content("application/json", request, schemas) };
        }

        var responses = new JsonObject();
        foreach (var status in route.Statuses)
        {
            var response = new JsonObject { ["description"] = status < 300 ? "Done." : status == 304 ? "Nothing new." : "Refused." };
            if (status < 300 && route.Response is { } type)
            {
                response["content"] = Content("application/json", type, schemas);
            }
            else if (status >= 400)
            {
                response["content"] = Content(ProblemType, WireJson.Default.ProblemDetails, schemas);
            }

            responses[$"{status}"] = response;
        }

        responses["default"] = new JsonObject { ["description"] = "A problem.", ["content"] = Content(ProblemType, WireJson.Default.ProblemDetails, schemas) };
        operation["responses"] = responses;
        return operation;
    }

    private static JsonObject Parameter(string name, string place, string? summary)
    {
        var parameter = new JsonObject
        {
            ["name"] = name,
            ["in"] = place,
            ["required"] = place == "path",
            ["schema"] = name is "round" or "after" ? new JsonObject { ["type"] = "integer" } : new JsonObject { ["type"] = "string" },
        };
        if (summary is not null)
        {
            parameter["description"] = summary;
        }

        return parameter;
    }

    private static JsonObject Content(string mediaType, JsonTypeInfo type, SortedDictionary<string, JsonNode> schemas) => new()
    {
        [mediaType] = new JsonObject { ["schema"] = Reference(type, schemas) },
    };

    private static JsonObject Reference(JsonTypeInfo type, SortedDictionary<string, JsonNode> schemas)
    {
        var name = type.Type.IsGenericType
            ? type.Type.GetGenericArguments()[0].Name + type.Type.Name.Split('`')[0]
            : type.Type.Name;
        if (!schemas.ContainsKey(name))
        {
            schemas[name] = type.GetJsonSchemaAsNode(Exporter);
        }

        return new JsonObject { ["$ref"] = $"#/components/schemas/{name}" };
    }

    private static JsonObject SecuritySchemes() => new()
    {
        ["operator"] = new JsonObject { ["type"] = "http", ["scheme"] = "bearer" },
        ["device"] = new JsonObject
        {
            ["type"] = "apiKey",
            ["in"] = "header",
            ["name"] = "Authorization",
            ["description"] = $"'{DeviceApi.AuthorizationScheme} PROOF', a compact JWS made for each request: docs/concepts/device-authentication.md.",
        },
    };

    [GeneratedRegex(@"\{(\w+)\}")]
    private static partial Regex PathParameter();
}
