using System.Text.RegularExpressions;

namespace FedServerless.Infra.Tests.Rules;

/// <summary>What a workflow of GitHub may say. Read as text: a rule is about lines, and says which.</summary>
internal static partial class WorkflowRules
{
    /// <summary>Actions that are not pinned to a commit with its version beside it: a tag can be moved to anything.</summary>
    public static IEnumerable<string> Unpinned(string text) => Uses().Matches(text).Select(match => match.Value.Trim()).Where(line => !Pinned().IsMatch(line));

    /// <summary>Rights that the whole workflow has beyond reading, or none stated; rights to write outside of the job that publishes.</summary>
    public static IEnumerable<string> TooManyRights(string text)
    {
        if (!ReadOnly().IsMatch(text))
        {
            yield return "the workflow does not begin with permissions: contents: read and no other";
        }

        foreach (var (job, body) in Jobs(text).Where(job => job.Body.Contains(": write", StringComparison.Ordinal) && !job.Body.Contains("    environment: ", StringComparison.Ordinal)))
        {
            yield return $"job '{job}' may write and asks nobody before: {Write().Match(body).Value.Trim()}";
        }
    }

    /// <summary>Text from outside that a shell would run, and events that run code of strangers with rights.</summary>
    public static IEnumerable<string> Injectable(string text) =>
    [
        .. Run().Matches(text).Where(match => match.Value.Contains("${{", StringComparison.Ordinal)).Select(match => $"an expression inside of a script: {match.Value.Trim().Split('\n')[0]}"),
        .. new[] { "pull_request_target", "workflow_run:" }.Where(word => text.Contains(word, StringComparison.Ordinal)).Select(word => $"{word} runs code of strangers"),
    ];

    /// <summary>Jobs that could run for six hours.</summary>
    public static IEnumerable<string> Endless(string text) => Jobs(text).Where(job => !job.Body.Contains("    timeout-minutes: ", StringComparison.Ordinal)).Select(job => $"job '{job.Name}' has no timeout");

    /// <summary>Secrets read by a job that asks nobody before.</summary>
    public static IEnumerable<string> LooseSecrets(string text) => Jobs(text)
        .Where(job => job.Body.Contains("secrets.", StringComparison.Ordinal) && !job.Body.Contains("    environment: ", StringComparison.Ordinal))
        .Select(job => $"job '{job.Name}' reads a secret and has no environment");

    private static IEnumerable<(string Name, string Body)> Jobs(string text)
    {
        var jobs = text[(text.IndexOf("\njobs:\n", StringComparison.Ordinal) + "\njobs:\n".Length)..];
        var starts = Job().Matches(jobs);
        return starts.Select((start, i) => (start.Groups["name"].Value, jobs[start.Index..(i + 1 < starts.Count ? starts[i + 1].Index : jobs.Length)]));
    }

    [GeneratedRegex(@"^\s*- uses: .*$|^\s+uses: .*$", RegexOptions.Multiline | RegexOptions.CultureInvariant)]
    private static partial Regex Uses();

    [GeneratedRegex(@"uses: [\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", RegexOptions.CultureInvariant)]
    private static partial Regex Pinned();

    [GeneratedRegex(@"^  (?<name>[a-z][a-z-]*):\s*$", RegexOptions.Multiline | RegexOptions.CultureInvariant)]
    private static partial Regex Job();

    [GeneratedRegex(@"^permissions:\n  contents: read\n(?! )", RegexOptions.Multiline | RegexOptions.CultureInvariant)]
    private static partial Regex ReadOnly();

    [GeneratedRegex(@"^\s+[a-z-]+: write", RegexOptions.Multiline | RegexOptions.CultureInvariant)]
    private static partial Regex Write();

    // A script on the line, or the deeper lines under `run: |`.
    [GeneratedRegex(@"^(?<indent> *)(?:- )?run: (?:\|\n(?:\k<indent>   *.*\n|\n)*|.*$)", RegexOptions.Multiline | RegexOptions.CultureInvariant)]
    private static partial Regex Run();
}
