using FedServerless.Testing;

namespace FedServerless.Architecture.Tests;

/// <summary>Rules about the text of the code base.</summary>
public sealed class SourceTests
{
    private const int MaxLines = 400;
    private const int MaxSuppressions = 10;

    [Fact]
    public void ProductFiles_NoneIsLongerThanOneThing()
    {
        var oversized = Product.SourceFiles().Select(file => (file, lines: File.ReadLines(RepositoryRoot.Combine(file)).Count())).Where(entry => entry.lines > MaxLines);
        Assert.Empty(oversized);
    }

    [Fact]
    public void ProductFiles_SuppressionsStayWithinBudgetAndSayWhy()
    {
        var suppressions = Product.SourceFiles()
            .SelectMany(file => File.ReadLines(RepositoryRoot.Combine(file)).Select(line => (file, line)))
            .Where(entry => entry.line.Contains("#pragma warning disable", StringComparison.Ordinal)
                || entry.line.Contains("SuppressMessage(", StringComparison.Ordinal))
            .ToList();
        Assert.True(suppressions.Count <= MaxSuppressions, $"{suppressions.Count} suppressions, the budget is {MaxSuppressions}.");
        Assert.All(suppressions, entry => Assert.True(
            entry.line.Contains("//", StringComparison.Ordinal) || entry.line.Contains("Justification", StringComparison.Ordinal),
            $"{entry.file}: no reason on the line: {entry.line.Trim()}"));
    }

    [Fact]
    public void ProductFiles_NoneSaysToDoLater()
    {
        string[] words = ["TO" + "DO", "FIX" + "ME", "HA" + "CK", "NotImplemented" + "Exception"];
        var found = Product.SourceFiles().Where(file => words.Any(word => File.ReadAllText(RepositoryRoot.Combine(file)).Contains(word, StringComparison.Ordinal)));
        Assert.Empty(found);
    }

    [Fact]
    public void Tests_NoneSleeps()
    {
        // Waiting for another process is polling, and says so by its name.
        string[] sleeps = ["Thread.Sleep" + "("];
        var found = Directory.EnumerateFiles(RepositoryRoot.Combine("tests"), "*.cs", SearchOption.AllDirectories)
            .Where(file => sleeps.Any(word => File.ReadAllText(file).Contains(word, StringComparison.Ordinal)));
        Assert.Empty(found);
    }
}
