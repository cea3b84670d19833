using System.Text.RegularExpressions;
using FedServerless.Testing;

namespace FedServerless.EndToEnd.Tests;

/// <summary>The page of promises names tests; each exists.</summary>
public sealed partial class WhatIsTestedTests
{
    [Fact]
    public void Page_EveryTestItNames_Exists()
    {
        var page = File.ReadAllText(RepositoryRoot.Combine("docs", "concepts", "what-is-tested.md"));
        var named = TestName().Matches(page).Select(match => match.Groups["name"].Value).Distinct().ToList();
        var classes = Directory.EnumerateFiles(RepositoryRoot.Combine("tests"), "*.cs", SearchOption.AllDirectories)
            .SelectMany(file => ClassName().Matches(File.ReadAllText(file)))
            .Select(match => match.Groups["name"].Value)
            .ToHashSet(StringComparer.Ordinal);

        Assert.InRange(named.Count, 20, int.MaxValue);
        Assert.Subset(classes, named.ToHashSet(StringComparer.Ordinal));
    }

    [GeneratedRegex("`(?<name>[A-Za-z]+(Tests|Conformance))`")]
    private static partial Regex TestName();

    [GeneratedRegex("class (?<name>[A-Za-z]+)")]
    private static partial Regex ClassName();
}
