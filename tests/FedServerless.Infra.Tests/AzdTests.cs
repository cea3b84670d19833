using System.Text.Json;
using System.Text.RegularExpressions;
using FedServerless.Infra.Tests.Bicep;
using FedServerless.Infra.Tests.Rules;
using FedServerless.Testing;

namespace FedServerless.Infra.Tests;

/// <summary>azure.yaml, its hooks and the parameter file, against the templates.</summary>
public sealed partial class AzdTests
{
    // https://learn.microsoft.com/azure/developer/azure-developer-cli/manage-environment-variables
    private static readonly string[] OfAzd = ["AZURE_ENV_NAME", "AZURE_LOCATION", "AZURE_PRINCIPAL_ID", "AZURE_PRINCIPAL_TYPE"];

    private static readonly string Yaml = File.ReadAllText(RepositoryRoot.Combine("azure.yaml"));
    private static readonly string Parameters = File.ReadAllText(RepositoryRoot.Combine("infra", "main.parameters.json"));

    [Fact]
    public void AzureYaml_EveryPath_IsThere()
    {
        var paths = PathLine().Matches(Yaml).Select(match => match.Groups["path"].Value).ToList();

        Assert.Contains("./functions/App", paths);
        Assert.All(paths, path => Assert.True(Path.Exists(RepositoryRoot.Combine(path)), path));
    }

    [Fact]
    public void AzureYaml_EveryHook_HasBothShells()
    {
        var hooks = PathLine().Matches(Yaml).Select(match => match.Groups["path"].Value).Where(path => path.Contains("/hooks/", StringComparison.Ordinal))
            .GroupBy(path => Path.ChangeExtension(path, null)).ToList();

        Assert.NotEmpty(hooks);
        Assert.All(hooks, hook => Assert.Equal([".ps1", ".sh"], hook.Select(Path.GetExtension).Distinct().Order(StringComparer.Ordinal)));
    }

    [Fact]
    public void AzureYaml_Service_IsTheTagOfTheApp()
    {
        var tags = Templates.Main.Modules.Single(module => module.Symbol == "app").Body.At("params", "tags")!.All().OfType<ObjectOf>().Single();

        Assert.Contains($"  {((Text)tags.At("azd-service-name")!).Plain}:\n    project:", Yaml.ReplaceLineEndings("\n"), StringComparison.Ordinal);
    }

    [Fact]
    public void Environment_EveryVariableOfHooks_IsAzdsAParametersOrAnOutput()
    {
        var known = OfAzd.Concat(ModuleRules.EnvironmentOf(Parameters)).Concat(Templates.Main.Outputs.Select(output => output.Symbol)).ToHashSet(StringComparer.Ordinal);
        var used = Directory.EnumerateFiles(RepositoryRoot.Combine("infra", "hooks")).SelectMany(file =>
            Variable().Matches(File.ReadAllText(file)).Select(match => (Name: match.Groups["name"].Value, File: Path.GetFileName(file))));

        Assert.All(used, variable => Assert.True(known.Contains(variable.Name), $"{variable.File} reads {variable.Name}, which nothing sets."));
    }

    [Fact]
    public void Environment_BackendOfPackageAndTemplates_HaveOneDefault()
    {
        Assert.Contains("${DURABLE_BACKEND=scheduler}", Parameters, StringComparison.Ordinal);
        Assert.Contains("${DURABLE_BACKEND:-scheduler}", File.ReadAllText(RepositoryRoot.Combine("infra", "hooks", "prepackage.sh")), StringComparison.Ordinal);
        Assert.Contains("else { 'scheduler' }", File.ReadAllText(RepositoryRoot.Combine("infra", "hooks", "prepackage.ps1")), StringComparison.Ordinal);
        Assert.Equal("scheduler", ((Text)Templates.Main.Parameters.Single(parameter => parameter.Symbol == "durableBackend").Default!).Plain);
        Assert.Contains(".fed/backend.props", File.ReadAllText(RepositoryRoot.Combine("functions", "App", "FedServerless.Functions.csproj")), StringComparison.Ordinal);
    }

    [Fact]
    public void OperatorRoles_AreTheOnesThatTheGatewayKnows()
    {
        using var roles = JsonDocument.Parse(File.ReadAllText(RepositoryRoot.Combine("infra", "hooks", "operator-roles.json")));
        var registered = roles.RootElement.EnumerateArray().Select(role => role.GetProperty("value").GetString()!).Order(StringComparer.Ordinal);
        var page = File.ReadAllText(RepositoryRoot.Combine("docs", "concepts", "operators.md"));

        Assert.Equal(Role().Matches(page).Select(match => match.Value).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal), registered);
        Assert.Equal(3, roles.RootElement.EnumerateArray().Select(role => role.GetProperty("id").GetGuid()).Distinct().Count());
    }

    [GeneratedRegex(@"^\s+(?:project|run|path): (?<path>\S+)", RegexOptions.Multiline | RegexOptions.CultureInvariant)]
    private static partial Regex PathLine();

    // Those that could come from azd: the scripts' own are in small letters.
    [GeneratedRegex(@"(?:\$\{?|\$env:)(?<name>(?:AZURE|FED|DURABLE|VNET|ALERT|MONTHLY|TASKHUB)[A-Z0-9_]*)", RegexOptions.CultureInvariant)]
    private static partial Regex Variable();

    [GeneratedRegex(@"Federation\.[A-Z][a-z]+", RegexOptions.CultureInvariant)]
    private static partial Regex Role();
}
