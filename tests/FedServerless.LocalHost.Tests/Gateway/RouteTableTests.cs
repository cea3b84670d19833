using System.Text.Json.Nodes;
using FedServerless.Gateway.Http;
using FedServerless.Testing;
using FedServerless.Wire;

namespace FedServerless.LocalHost.Tests.Gateway;

public sealed class RouteTableTests : IDisposable
{
    private readonly GatewayBench _bench = new();

    [Fact]
    public async Task OpenApi_EveryRow_IsInIt()
    {
        var document = JsonNode.Parse((await _bench.SendAsync("getOpenApi", "openapi.json", [], [])).Text)!;

        Assert.Equal("3.1.0", (string?)document["openapi"]);
        foreach (var route in _bench.Table.Routes)
        {
            var operation = document["paths"]![$"{DeviceApi.Prefix}/{route.Template}"]![route.Method.ToLowerInvariant()]!;
            Assert.Equal(route.Name, (string?)operation["operationId"]);
            Assert.Equal(route.Request is not null, operation["requestBody"] is not null);
            Assert.Equal(route.Policy == RoutePolicy.Public ? 0 : 1, operation["security"]!.AsArray().Count);
            Assert.All(route.Statuses, status => Assert.NotNull(operation["responses"]![$"{status}"]));
        }

        var operations = document["paths"]!.AsObject().Sum(path => path.Value!.AsObject().Count);
        Assert.Equal(_bench.Table.Routes.Count, operations);
    }

    [Fact]
    public async Task OpenApi_EveryReference_Resolves()
    {
        var text = (await _bench.SendAsync("getOpenApi", "openapi.json", [], [])).Text;
        var schemas = JsonNode.Parse(text)!["components"]!["schemas"]!.AsObject();

        var references = System.Text.RegularExpressions.Regex.Matches(text, "\"#/components/schemas/(\\w+)\"").Select(match => match.Groups[1].Value);

        Assert.All(references, reference => Assert.True(schemas.ContainsKey(reference), reference));
        Assert.DoesNotContain("\"$ref\": \"#/properties", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Documentation_TableOfRoutes_IsTheTable()
    {
        var page = File.ReadAllLines(Path.Combine(RepositoryRoot.Path, "docs", "concepts", "http-api.md"));

        var rows = page.Where(line => line.StartsWith("| `", StringComparison.Ordinal)).Select(line => line.Split('|')[1..4]).Select(cells => string.Join(' ', cells.Select(cell => cell.Trim())));

        Assert.Equal(_bench.Table.Routes.Select(route => $"`{route.Method}` `{route.Template}` {Who(route.Policy)}"), rows);
    }

    [Fact]
    public void Names_AreUniqueAndStable()
    {
        Assert.Equal(_bench.Table.Routes.Count, _bench.Table.Routes.Select(route => route.Name).Distinct().Count());
        Assert.All(_bench.Table.Routes, route => Assert.Same(route, _bench.Table[route.Name]));
    }

    [Fact]
    public async Task Health_Host_IsHealthy()
    {
        var answer = await _bench.SendAsync("getHealth", "health", [], []);

        Assert.Equal((200, "{\"status\":\"healthy\"}"), (answer.Status, answer.Text));
    }

    [Fact]
    public async Task Version_Host_NamesTheProtocol()
    {
        var version = JsonNode.Parse((await _bench.SendAsync("getHostVersion", "version", [], [])).Text)!;

        Assert.Equal(DeviceApi.Version, (int?)version["apiVersion"]);
        Assert.False(string.IsNullOrEmpty((string?)version["version"]));
    }

    [Fact]
    public async Task Health_HostInTrouble_SaysSo()
    {
        using var bench = new GatewayBench(new() { Trouble = () => "The journal cannot be written." });

        var answer = await bench.SendAsync("getHealth", "health", [], []);

        Assert.Equal(503, answer.Status);
        Assert.Contains("journal", answer.Text, StringComparison.Ordinal);
    }

    public void Dispose() => _bench.Dispose();

    private static string Who(RoutePolicy policy) => policy switch
    {
        RoutePolicy.Operator => "operator",
        RoutePolicy.Device => "device",
        RoutePolicy.DeviceEnrol => "new device",
        _ => "anyone",
    };
}
