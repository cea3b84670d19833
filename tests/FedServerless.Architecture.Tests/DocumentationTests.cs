using System.Text.RegularExpressions;
using FedServerless.Aggregation.Robust;
using FedServerless.Compression;
using FedServerless.Optimization;
using FedServerless.Testing;

namespace FedServerless.Architecture.Tests;

/// <summary>Docs cannot rot: code in them is code that compiles, links lead somewhere, every policy is in them.</summary>
public sealed partial class DocumentationTests
{
    private static IEnumerable<string> Pages() => Directory.EnumerateFiles(RepositoryRoot.Path, "*.md")
        .Concat(Directory.EnumerateFiles(RepositoryRoot.Combine("docs"), "*.md", SearchOption.AllDirectories));

    [Fact]
    public void CSharpBlocks_EachIsARegionOfACompiledSample()
    {
        var regions = Directory.EnumerateFiles(RepositoryRoot.Combine("samples"), "*.cs", SearchOption.AllDirectories)
            .SelectMany(file => Region().Matches(File.ReadAllText(file)))
            .Select(match => Squeeze(match.Groups["code"].Value))
            .ToHashSet(StringComparer.Ordinal);
        var foreign = Pages()
            .SelectMany(page => Fence().Matches(File.ReadAllText(page)).Select(match => (page, code: Squeeze(match.Groups["code"].Value))))
            .Where(block => !regions.Contains(block.code))
            .Select(block => $"{Path.GetRelativePath(RepositoryRoot.Path, block.page)}: {block.code[..Math.Min(80, block.code.Length)]}");
        Assert.Empty(foreign);
    }

    [Fact]
    public void RelativeLinks_AllLeadSomewhere()
    {
        var broken = Pages()
            .SelectMany(page => Link().Matches(File.ReadAllText(page)).Select(match => (page, target: match.Groups["target"].Value)))
            .Where(link => !link.target.Contains("://", StringComparison.Ordinal) && !link.target.StartsWith("mailto:", StringComparison.Ordinal))
            .Where(link => !Path.Exists(Path.Combine(Path.GetDirectoryName(link.page)!, link.target)))
            .Select(link => $"{Path.GetRelativePath(RepositoryRoot.Path, link.page)} → {link.target}");
        Assert.Empty(broken);
    }

    [Fact]
    public void Policies_EachIsNamedInTheDocs()
    {
        var text = string.Concat(Pages().Select(File.ReadAllText));
        var names = AggregationRules.Names.Concat(ServerOptimizers.Names).Concat(UpdateCodecs.All.Names);
        Assert.All(names, name => Assert.Contains($"`{name}`", text, StringComparison.Ordinal));
    }

    private static string Squeeze(string code) => Whitespace().Replace(code, " ").Trim();

    [GeneratedRegex(@"#region[^\n]*\n(?<code>.*?)#endregion", RegexOptions.Singleline)]
    private static partial Regex Region();

    [GeneratedRegex(@"```csharp\s*\n(?<code>.*?)```", RegexOptions.Singleline)]
    private static partial Regex Fence();

    [GeneratedRegex(@"\]\((?<target>[^)#\s]+)(#[^)]*)?\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Whitespace();
}
