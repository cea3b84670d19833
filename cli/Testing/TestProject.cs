namespace FedServerless.Cli.Testing;

/// <summary>A test project: a program that runs its own tests.</summary>
/// <param name="Name">The project's name.</param>
/// <param name="Program">The program that the build makes.</param>
/// <param name="Report">Where its report goes.</param>
internal sealed record TestProject(string Name, string Program, string Report)
{
    /// <summary>Every project below <c>tests/</c> whose name ends with <c>.Tests</c>, in order of name.</summary>
    public static IReadOnlyList<TestProject> Find(string repository) =>
    [
        .. Directory.EnumerateFiles(Path.Combine(repository, "tests"), "*.Tests.csproj", SearchOption.AllDirectories)
            .Select(Path.GetFileNameWithoutExtension)
            .Order(StringComparer.Ordinal)
            .Select(name => new TestProject(
                name!,
                Path.Combine(repository, "artifacts", "bin", name!, "release", $"{name}.dll"),
                Path.Combine(repository, "artifacts", "test-results", $"{name}.xml"))),
    ];

    /// <summary>Whether <c>--project</c> means this one: its name, or a part of it.</summary>
    public bool Matches(string? wanted) => wanted is null || Name.Contains(wanted, StringComparison.OrdinalIgnoreCase);
}
