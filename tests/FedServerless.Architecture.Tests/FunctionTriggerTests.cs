using System.Text.RegularExpressions;
using FedServerless.Activities;
using FedServerless.Gateway;
using FedServerless.Gateway.Authentication;
using FedServerless.Gateway.Http;
using FedServerless.Storage;
using FedServerless.Testing;
using FedServerless.Testing.Storage;
using FedServerless.Workflows.Engine;
using Microsoft.Extensions.DependencyInjection;

namespace FedServerless.Architecture.Tests;

/// <summary>
/// The text of the Functions app's triggers against the gateway's table and the list of workflows and activities: what
/// FedServerless.Functions.Tests holds the compiled triggers to, where the packages they need are missing.
/// </summary>
public sealed partial class FunctionTriggerTests
{
    private static readonly string Source = string.Concat(
        Directory.EnumerateFiles(RepositoryRoot.Combine("functions", "App", "Triggers"), "*.cs").Order(StringComparer.Ordinal).Select(File.ReadAllText));

    [Fact]
    public void HttpTriggers_AreTheRowsOfTheTable()
    {
        using var services = Services();
        var rows = services.GetRequiredService<RouteTable>().Routes.Select(route => $"{route.Name} {route.Method} v1/{route.Template} {route.Name}");
        var triggers = HttpTrigger().Matches(Source)
            .Select(match => $"{match.Groups["name"]} {match.Groups["method"].Value.ToUpperInvariant()} {match.Groups["route"]} {match.Groups["row"]}");
        Assert.Equal(rows.Order(StringComparer.Ordinal), triggers.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void HttpTriggers_NoneAsksForAFunctionKey() => Assert.DoesNotMatch(@"AuthorizationLevel\.(?!Anonymous)", Source);

    [Fact]
    public void WorkflowAndActivityTriggers_AreWhatBothEnginesBind()
    {
        using var services = Services();
        var bound = new Names();
        WorkflowBindings.BindAll(bound, services.GetRequiredService<ActivitySet>());
        Assert.Equal(bound.Workflows.Order(StringComparer.Ordinal), NamesOf("OrchestrationTrigger"));
        Assert.Equal(bound.Activities.Append("AttachChild").Order(StringComparer.Ordinal), NamesOf("ActivityTrigger"));
    }

    private static IEnumerable<string> NamesOf(string attribute) =>
        Regex.Matches(Source, $@"\[Function\(""(?<name>\w+)""\)\]\s+public Task<JsonElement> (?<method>\w+)\(\[{attribute}\]")
            .Select(match => match.Groups["name"].Value == match.Groups["method"].Value ? match.Groups["name"].Value : $"{match.Groups["name"]} on {match.Groups["method"]}")
            .Order(StringComparer.Ordinal);

    private static ServiceProvider Services() => new ServiceCollection()
        .AddLogging()
        .AddSingleton(TimeProvider.System)
        .AddSingleton<IObjectStore>(new InMemoryObjectStore())
        .AddSingleton<IServerSecrets>(new FixedSecrets(new SecretRing(new MasterSecret("1", new byte[MasterSecret.MinBytes]))))
        .AddSingleton<IOperatorAuthenticator>(new OperatorKeyAuthenticator(new string('k', OperatorKeyAuthenticator.MinKeyLength)))
        .AddFedGateway(new GatewayOptions())
        .AddSingleton<ActivitySet>()
        .BuildServiceProvider();

    [GeneratedRegex(
        """
        \[Function\("(?<name>\w+)"\)\]\s+public Task \w+\(\s+\[HttpTrigger\(AuthorizationLevel\.Anonymous, "(?<method>\w+)", Route = "(?<route>[^"]+)"\)\] HttpRequest request,\s+\[DurableClient\] DurableTaskClient client\) =>\s+routes\.RunAsync\("(?<row>\w+)", request, client\);
        """)]
    private static partial Regex HttpTrigger();

    private sealed class Names : IWorkflowBinder
    {
        public List<string> Workflows { get; } = [];

        public List<string> Activities { get; } = [];

        public void Bind<TInput, TOutput>(Workflow<TInput, TOutput> workflow, IWorkflow<TInput, TOutput> code) => Workflows.Add(workflow.Name);

        public void Bind<TInput, TOutput>(Activity<TInput, TOutput> activity, IActivity<TInput, TOutput> code) => Activities.Add(activity.Name);
    }
}
