using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace FedServerless.Cli.Feed;

/// <summary>A project of the solution.</summary>
/// <param name="Path">Its file, from the repository's root, with <c>/</c>.</param>
/// <param name="Part">The optional part whose packages it needs: its property <c>FedNeeds</c>; null for what builds on every feed.</param>
internal sealed record SolutionProject(string Path, string? Part)
{
    public string Name => System.IO.Path.GetFileNameWithoutExtension(Path);
}

/// <summary>The projects of <c>FedServerless.sln</c>.</summary>
internal sealed partial class Solution
{
    public const string File = "FedServerless.sln";

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, NewLine = "\n" };

    private Solution(IReadOnlyList<SolutionProject> projects) => Projects = projects;

    public IReadOnlyList<SolutionProject> Projects { get; }

    /// <summary>The optional parts that its projects need, in order of name.</summary>
    public IReadOnlyList<string> Parts =>
        [.. Projects.Select(project => project.Part).OfType<string>().Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];

    /// <summary>Reads the solution and the <c>FedNeeds</c> of each of its projects.</summary>
    /// <exception cref="CommandException">A project of it is missing.</exception>
    public static Solution Read(string repository)
    {
        var paths = ProjectLine().Matches(System.IO.File.ReadAllText(Path.Combine(repository, File))).Select(match => match.Groups["path"].Value.Replace('\\', '/'));
        return new Solution([.. paths.Order(StringComparer.Ordinal).Select(path => new SolutionProject(path, PartOf(repository, path)))]);
    }

    /// <summary>The text of a solution filter with every project but those of some parts.</summary>
    /// <param name="solution">The path of the solution from the filter.</param>
    /// <param name="parts">The parts left out.</param>
    public string FilterWithout(string solution, IReadOnlyCollection<string> parts)
    {
        var projects = Projects.Where(project => project.Part is null || !parts.Contains(project.Part)).Select(project => project.Path.Replace('/', '\\'));
        return JsonSerializer.Serialize(new { solution = new { path = solution, projects } }, Indented) + "\n";
    }

    private static string? PartOf(string repository, string path)
    {
        try
        {
            return XDocument.Load(Path.Combine(repository, path)).Descendants("FedNeeds").FirstOrDefault()?.Value.Trim();
        }
        catch (IOException exception)
        {
            throw new CommandException($"{File} names {path}, which cannot be read: {exception.Message}");
        }
    }

    [GeneratedRegex("""^Project\("[^"]+"\) = "[^"]+", "(?<path>[^"]+\.csproj)",""", RegexOptions.Multiline | RegexOptions.CultureInvariant)]
    private static partial Regex ProjectLine();
}
