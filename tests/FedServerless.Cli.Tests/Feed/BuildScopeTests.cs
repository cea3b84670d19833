using System.Xml.Linq;
using FedServerless.Cli.Feed;
using FedServerless.Testing;

namespace FedServerless.Cli.Tests.Feed;

public sealed class BuildScopeTests
{
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    [Fact]
    public async Task DecideAsync_EverythingServed_BuildsTheSolution()
    {
        using var clone = new SmallClone("nowhere");

        var scope = await BuildScope.DecideAsync(clone.Path, (_, _) => Task.FromResult(FeedAnswer.Served), Cancel);

        Assert.Equal((Solution.File, 0, 0), (scope.Target, scope.LeftOut.Count, scope.Notes.Count));
        Assert.Equal(["extra"], scope.Served);
    }

    [Theory]
    [InlineData(FeedVerdict.NotFound, "left out: Extra: the configured feed does not have A 1.0 (remembered; delete .fed/feed to ask again)")]
    [InlineData(FeedVerdict.Unreachable, "left out this time: Extra: the configured feed could not be asked: A 1.0")]
    internal async Task DecideAsync_PartMissing_BuildsTheRestAndSaysWhy(FeedVerdict verdict, string note)
    {
        using var clone = new SmallClone("nowhere");

        var scope = await BuildScope.DecideAsync(clone.Path, (_, _) => Task.FromResult(new FeedAnswer(verdict, "A 1.0")), Cancel);

        Assert.Equal([note], scope.Notes);
        Assert.Equal("Extra", Assert.Single(scope.LeftOut).Name);
        Assert.Empty(scope.Served);
        var filter = await File.ReadAllTextAsync(clone.Combine(scope.Target), Cancel);
        Assert.Contains("""plain\\Plain.csproj""", filter, StringComparison.Ordinal);
        Assert.DoesNotContain("Extra", filter, StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(Path.GetDirectoryName(clone.Combine(scope.Target))!, "../../FedServerless.sln")));
    }

    [Fact]
    public void Everywhere_IsTheSolutionWithoutEveryOptionalPart()
    {
        var solution = Solution.Read(RepositoryRoot.Path);
        var expected = solution.FilterWithout("../FedServerless.sln", solution.Parts.ToList());
        var path = RepositoryRoot.Combine("eng", "everywhere.slnf");
        if (Environment.GetEnvironmentVariable("FED_ACCEPT_API") == "1")
        {
            // As for the texts of the public surface: the difference in the file is the review.
            File.WriteAllText(path, expected);
        }

        var text = File.ReadAllText(path).ReplaceLineEndings("\n");

        Assert.True(expected == text, $"{path} is not the solution without its optional parts. Run this test with FED_ACCEPT_API=1, or make it:\n{expected}");
    }

    [Fact]
    public void Solution_HasEveryProjectButProbes()
    {
        string[] roots = ["core", "storage", "orchestrations", "gateway", "functions", "local", "client-sdk", "cli", "samples", "tests", "bench"];
        var found = roots.Select(root => RepositoryRoot.Combine(root)).Where(Directory.Exists)
            .SelectMany(root => Directory.EnumerateFiles(root, "*.csproj", SearchOption.AllDirectories))
            .Select(file => Path.GetRelativePath(RepositoryRoot.Path, file).Replace('\\', '/')).Order(StringComparer.Ordinal);

        Assert.Equal(found, Solution.Read(RepositoryRoot.Path).Projects.Select(project => project.Path));
    }

    [Fact]
    public void Projects_ThatReferenceAnOptionalOne_NeedItsPartToo()
    {
        var projects = Solution.Read(RepositoryRoot.Path).Projects.ToDictionary(project => project.Name, StringComparer.Ordinal);
        var wrong = projects.Values.SelectMany(project => References(project.Path, "ProjectReference")
            .Select(path => projects[Path.GetFileNameWithoutExtension(path.Replace('\\', '/'))])
            .Where(referenced => referenced.Part is not null && referenced.Part != project.Part)
            .Select(referenced => $"{project.Name} → {referenced.Name} ({referenced.Part})"));

        Assert.Empty(wrong);
    }

    [Fact]
    public void Probes_AskForEveryPackageThatOnlyTheirPartUses()
    {
        var solution = Solution.Read(RepositoryRoot.Path);
        var everywhere = solution.Projects.Where(project => project.Part is null).SelectMany(project => References(project.Path, "PackageReference")).ToHashSet(StringComparer.OrdinalIgnoreCase);
        foreach (var part in solution.Parts)
        {
            var probed = References(FeedProbe.ProjectOf(part), "PackageReference");
            var used = solution.Projects.Where(project => project.Part == part).SelectMany(project => References(project.Path, "PackageReference"));
            Assert.Empty(used.Except(everywhere, StringComparer.OrdinalIgnoreCase).Except(probed, StringComparer.OrdinalIgnoreCase));
        }
    }

    [Fact]
    public void Probes_NoneIsNamedAsAPackageItAsksFor()
    {
        // NuGet would take the project for the package, and refuse the cycle on a feed that serves everything.
        foreach (var part in Solution.Read(RepositoryRoot.Path).Parts)
        {
            var probe = FeedProbe.ProjectOf(part);
            var name = (string?)XDocument.Load(RepositoryRoot.Combine(probe)).Descendants("PackageId").FirstOrDefault() ?? Path.GetFileNameWithoutExtension(probe);
            Assert.DoesNotContain(name, References(probe, "PackageReference"), StringComparer.OrdinalIgnoreCase);
        }
    }

    private static string[] References(string project, string kind) =>
        [.. XDocument.Load(RepositoryRoot.Combine(project)).Descendants(kind).Select(reference => (string?)reference.Attribute("Include")).OfType<string>()];
}
