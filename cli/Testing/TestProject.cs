using System.Xml.Linq;

namespace FedServerless.Cli.Testing;

/// <summary>A test project: a program that runs its own tests.</summary>
/// <param name="Name">The project's name.</param>
/// <param name="Program">The program that the build makes.</param>
/// <param name="Report">Where its report goes.</param>
/// <param name="Processors">As many processors its program is told it has: its property <c>FedTestProcessors</c>; null for those there are.</param>
internal sealed record TestProject(string Name, string Program, string Report, int? Processors = null)
{
    /// <summary>Every project below <c>tests/</c> whose name ends with <c>.Tests</c>, in order of name.</summary>
    public static IReadOnlyList<TestProject> Find(string repository) =>
    [
        .. Directory.EnumerateFiles(Path.Combine(repository, "tests"), "*.Tests.csproj", SearchOption.AllDirectories)
            .Select(file => (File: file, Name: Path.GetFileNameWithoutExtension(file)))
            .OrderBy(project => project.Name, StringComparer.Ordinal)
            .Select(project => new TestProject(
                project.Name,
                Path.Combine(repository, "artifacts", "bin", project.Name, "release", $"{project.Name}.dll"),
                Path.Combine(repository, "artifacts", "test-results", $"{project.Name}.xml"),
                (int?)XDocument.Load(project.File).Descendants("FedTestProcessors").FirstOrDefault())),
    ];

    /// <summary>Whether <c>--project</c> means this one: its name, or a part of it.</summary>
    public bool Matches(string? wanted) => wanted is null || Name.Contains(wanted, StringComparison.OrdinalIgnoreCase);
}
