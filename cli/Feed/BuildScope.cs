namespace FedServerless.Cli.Feed;

/// <summary>What of the solution can be built with the configured feed.</summary>
/// <param name="Target">What to build, from the repository's root: the solution, or a filter of it.</param>
/// <param name="LeftOut">The projects left out.</param>
/// <param name="Notes">A line for each part left out: what, and why.</param>
/// <param name="Served">The optional parts that the feed serves: tests that only stand in for theirs are not run.</param>
internal sealed record BuildScope(
    string Target, IReadOnlyList<SolutionProject> LeftOut, IReadOnlyList<string> Notes, IReadOnlyList<string> Served)
{
    private const string FilterFile = ".fed/feed/served.slnf";

    /// <summary>Asks the feed for each optional part and keeps what it serves.</summary>
    /// <param name="repository">The clone.</param>
    /// <param name="ask">Asks for one part.</param>
    /// <param name="cancellationToken">Ends the asking.</param>
    public static async Task<BuildScope> DecideAsync(
        string repository, Func<string, CancellationToken, Task<FeedAnswer>> ask, CancellationToken cancellationToken)
    {
        var solution = Solution.Read(repository);
        var missing = new List<string>();
        var notes = new List<string>();
        foreach (var part in solution.Parts)
        {
            var answer = await ask(part, cancellationToken);
            if (answer.Verdict != FeedVerdict.Served)
            {
                missing.Add(part);
                notes.Add(Explain(answer, solution.Projects.Where(project => project.Part == part)));
            }
        }

        if (missing.Count == 0)
        {
            return new BuildScope(Solution.File, [], [], solution.Parts);
        }

        var path = Path.Combine(repository, FilterFile);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        await File.WriteAllTextAsync(path, solution.FilterWithout($"../../{Solution.File}", missing), cancellationToken);
        return new BuildScope(
            FilterFile, [.. solution.Projects.Where(project => project.Part is { } part && missing.Contains(part))], notes, [.. solution.Parts.Except(missing)]);
    }

    private static string Explain(FeedAnswer answer, IEnumerable<SolutionProject> projects)
    {
        var names = string.Join(", ", projects.Select(project => project.Name));
        return answer.Verdict == FeedVerdict.NotFound
            ? $"left out: {names}: the configured feed does not have {answer.Why} (remembered; delete {FeedMemory.Folder} to ask again)"
            : $"left out this time: {names}: the configured feed could not be asked: {answer.Why}";
    }
}
