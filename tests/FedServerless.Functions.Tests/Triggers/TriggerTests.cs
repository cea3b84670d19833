using System.Reflection;
using System.Text.Json.Nodes;
using FedServerless.Functions.Engine;
using FedServerless.Gateway.Http;
using FedServerless.Testing;
using FedServerless.Wire;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;

namespace FedServerless.Functions.Tests.Triggers;

/// <summary>The compiled triggers against the gateway's table, the OpenAPI document and what the engines bind.</summary>
public sealed class TriggerTests : IDisposable
{
    private readonly TestApp _app = new();

    [Fact]
    public void Triggers_AllOfThem_CanBeMade() =>
        Assert.All(Functions().Select(function => function.Method.DeclaringType!).Distinct(), triggers => Assert.NotNull(_app.Make(triggers)));

    [Fact]
    public void HttpTriggers_AreTheRowsOfTheTable()
    {
        var rows = _app.Get<RouteTable>().Routes.Select(route => $"{route.Name}: {route.Method} v1/{route.Template}");
        var triggers = HttpTriggers().Where(trigger => trigger.Name != "unknownRoute")
            .Select(trigger => $"{trigger.Name}: {Assert.Single(trigger.Http.Methods!).ToUpperInvariant()} {trigger.Http.Route}");
        Assert.Equal(rows.Order(StringComparer.Ordinal), triggers.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task HttpTriggers_AreTheOperationsOfTheOpenApiDocument()
    {
        var prefix = (string?)JsonNode.Parse(File.ReadAllText(RepositoryRoot.Combine("host.json")))!["extensions"]!["http"]!["routePrefix"];
        var answer = await _app.SendAsync("getOpenApi", "GET", $"{DeviceApi.Prefix}/openapi.json");
        var operations = JsonNode.Parse(answer.Text)!["paths"]!.AsObject()
            .SelectMany(path => path.Value!.AsObject().Select(operation => $"{(string?)operation.Value!["operationId"]}: {operation.Key} {path.Key}"));
        var triggers = HttpTriggers().Where(trigger => trigger.Name != "unknownRoute")
            .Select(trigger => $"{trigger.Name}: {trigger.Http.Methods![0]} /{prefix}/{trigger.Http.Route}");
        Assert.Equal(operations.Order(StringComparer.Ordinal), triggers.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void HttpTriggers_AreAnonymous_ForTheRowSaysWhoMayCall() =>
        Assert.All(HttpTriggers(), trigger => Assert.Equal(AuthorizationLevel.Anonymous, trigger.Http.AuthLevel));

    [Fact]
    public void WorkflowTriggers_AreTheWorkflowsThatAreBound() =>
        Assert.Equal(_app.Get<DurableEngine>().Registry.Workflows.Keys.Order(StringComparer.Ordinal), Names<OrchestrationTriggerAttribute>());

    [Fact]
    public void ActivityTriggers_AreTheActivitiesThatAreBoundAndTheAdaptersOwn() => Assert.Equal(
        _app.Get<DurableEngine>().Registry.Activities.Keys.Append(DurableSteps.AttachChild).Order(StringComparer.Ordinal), Names<ActivityTriggerAttribute>());

    [Fact]
    public void Names_AreUniqueWhateverTheirCase()
    {
        var names = Functions().Select(function => function.Name).ToList();
        Assert.Equal(names.Count, names.Distinct(StringComparer.OrdinalIgnoreCase).Count());
    }

    [Fact]
    public void ClientParameters_AreBoundFromTheRequest() => Assert.All(
        Functions().SelectMany(function => function.Method.GetParameters()).Where(parameter => parameter.ParameterType == typeof(DurableTaskClient)),
        parameter => Assert.NotNull(parameter.GetCustomAttribute<DurableClientAttribute>()));

    [Fact]
    public void WhatTriggersAreMadeOf_CanBeMade()
    {
        var parameters = Functions().SelectMany(function => function.Method.DeclaringType!.GetConstructors()).SelectMany(made => made.GetParameters());
        Assert.All(parameters.Select(parameter => parameter.ParameterType).Distinct(), type => Assert.NotNull(_app.Get(type)));
    }

    public void Dispose() => _app.Dispose();

    private static List<(string Name, MethodInfo Method)> Functions() =>
    [
        .. typeof(DurableEngine).Assembly.GetTypes().SelectMany(type => type.GetMethods())
            .Select(method => (method.GetCustomAttribute<FunctionAttribute>()?.Name ?? "", method)).Where(function => function.Item1.Length > 0),
    ];

    private static List<(string Name, HttpTriggerAttribute Http)> HttpTriggers() =>
    [
        .. from function in Functions()
           let http = function.Method.GetParameters().Select(parameter => parameter.GetCustomAttribute<HttpTriggerAttribute>()).FirstOrDefault(http => http is not null)
           where http is not null
           select (function.Name, http),
    ];

    private static IEnumerable<string> Names<TAttribute>()
        where TAttribute : Attribute => Functions()
            .Where(function => function.Method.GetParameters().Any(parameter => parameter.GetCustomAttribute<TAttribute>() is not null))
            .Select(function => function.Name).Order(StringComparer.Ordinal);
}
