using System.Text.RegularExpressions;
using FedServerless.Infra.Tests.Rules;
using FedServerless.Testing;

namespace FedServerless.Infra.Tests;

/// <summary>The workflows of GitHub keep the rules, and do what README says; each rule catches its mistake.</summary>
public sealed partial class WorkflowTests
{
    private const string Good = "name: x\npermissions:\n  contents: read\njobs:\n  test:\n    timeout-minutes: 5\n    steps:\n      - uses: a/b@0123456789012345678901234567890123456789 # v1.2.3\n      - run: echo\n";

    public static TheoryData<string> Files =>
        [.. Directory.EnumerateFiles(RepositoryRoot.Combine(".github", "workflows"), "*.yml").Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Files))]
    public void Workflow_KeepsTheRules(string file) => Assert.Empty(Problems(Read(file)));

    [Fact]
    public void Rules_GoodWorkflow_FindNothing() => Assert.Empty(Problems(Good));

    [Theory]
    [InlineData("@0123456789012345678901234567890123456789 # v1.2.3", "@v4", "uses: a/b@v4")]
    [InlineData(" # v1.2.3", "", "uses: a/b@0123")]
    [InlineData("  contents: read\n", "  contents: write\n", "permissions")]
    [InlineData("permissions:\n  contents: read\n", "", "permissions")]
    [InlineData("contents: read\njobs", "contents: read\n  packages: write\njobs", "permissions")]
    [InlineData("    timeout-minutes: 5\n", "", "no timeout")]
    [InlineData("    steps", "    permissions:\n      contents: write\n    steps", "may write")]
    [InlineData("run: echo", "run: echo ${{ github.head_ref }}", "inside of a script")]
    [InlineData("run: echo", "run: |\n          echo\n          echo ${{ github.head_ref }}", "inside of a script")]
    [InlineData("name: x", "name: x\non: pull_request_target", "strangers")]
    [InlineData("run: echo", "env:\n          K: ${{ secrets.K }}\n        run: echo", "no environment")]
    public void Rules_PlantedMistake_IsFound(string said, string instead, string problem) =>
        Assert.Contains(Problems(Good.Replace(said, instead, StringComparison.Ordinal)), line => line.Contains(problem, StringComparison.Ordinal));

    [Fact]
    public void Ci_RunsReadmesTestCommandAndTheCompiler()
    {
        var ci = Read("ci.yml");

        Assert.Contains("run: bash .ci/run", ci, StringComparison.Ordinal);
        Assert.EndsWith("\n./fed test\n", File.ReadAllText(RepositoryRoot.Combine(".ci", "run")).ReplaceLineEndings("\n"), StringComparison.Ordinal);
        Assert.Contains("./fed test", File.ReadAllText(RepositoryRoot.Combine("README.md")), StringComparison.Ordinal);
        Assert.Contains("az bicep build --file infra/main.bicep", ci, StringComparison.Ordinal);
        Assert.Contains("az bicep lint --file infra/main.bicep", ci, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Workflow_EveryProjectAndScriptThatItNames_IsThere(string file) => Assert.All(
        PathInScript().Matches(Read(file)).Select(match => match.Value), path => Assert.True(Path.Exists(RepositoryRoot.Combine(path)), path));

    private static string Read(string file) => File.ReadAllText(RepositoryRoot.Combine(".github", "workflows", file)).ReplaceLineEndings("\n");

    private static IEnumerable<string> Problems(string text) =>
    [
        .. WorkflowRules.Unpinned(text), .. WorkflowRules.TooManyRights(text), .. WorkflowRules.Injectable(text), .. WorkflowRules.Endless(text), .. WorkflowRules.LooseSecrets(text),
    ];

    [GeneratedRegex(@"(?<![\w/])(?:infra/main\.bicep|\.ci/run|functions/App|core/[\w.]+|client-sdk/[\w.]+|eng/[\w.-]+)", RegexOptions.CultureInvariant)]
    private static partial Regex PathInScript();
}
