using System.Text.RegularExpressions;
using FedServerless.Testing;

namespace FedServerless.Architecture.Tests;

/// <summary>The threat model names a test for every control; each exists, and a row without one says that there is no control.</summary>
public sealed partial class ThreatModelTests
{
    private static readonly string[] _page = File.ReadAllLines(RepositoryRoot.Combine("docs", "concepts", "threat-model.md"));

    [Fact]
    public void Page_EveryTestItNames_Exists()
    {
        var named = _page.SelectMany(line => TestName().Matches(line)).Select(match => match.Groups["name"].Value).Distinct().ToList();
        var known = new HashSet<string>(StringComparer.Ordinal);
        foreach (var file in Directory.EnumerateFiles(RepositoryRoot.Combine("tests"), "*.cs", SearchOption.AllDirectories))
        {
            var text = File.ReadAllText(file);
            var methods = Method().Matches(text).Select(match => match.Groups["name"].Value).ToList();
            foreach (Match type in Class().Matches(text))
            {
                known.UnionWith(methods.Select(method => $"{type.Groups["name"].Value}.{method}"));
            }
        }

        Assert.InRange(named.Count, 60, int.MaxValue);
        Assert.Empty(named.Except(known));
    }

    [Fact]
    public void Page_RowWithoutATest_SaysThatThereIsNoControl()
    {
        var threats = Rows().Where(cells => cells.Length == 3).ToList();

        Assert.InRange(threats.Count, 40, int.MaxValue);
        Assert.All(threats, cells => Assert.True(TestName().IsMatch(cells[2]) || cells[1].Contains("**none**", StringComparison.Ordinal), cells[0]));
    }

    private static IEnumerable<string[]> Rows() => _page
        .Where(line => line.StartsWith("| ", StringComparison.Ordinal) && !line.StartsWith("| threat", StringComparison.Ordinal))
        .Select(line => line.Trim('|', ' ').Split(" | ").Length == 2 && line.TrimEnd().EndsWith("| |", StringComparison.Ordinal)
            ? [.. line.Trim('|', ' ').Split(" | "), ""]
            : line.Trim('|', ' ').Split(" | "));

    [GeneratedRegex(@"`(?<name>[A-Z]\w+Tests\.\w+)`")]
    private static partial Regex TestName();

    [GeneratedRegex(@"class (?<name>\w+)")]
    private static partial Regex Class();

    [GeneratedRegex(@"public (async )?(Task|void) (?<name>\w+)\(")]
    private static partial Regex Method();
}
