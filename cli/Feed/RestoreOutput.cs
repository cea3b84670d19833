using System.Text.RegularExpressions;

namespace FedServerless.Cli.Feed;

/// <summary>Reads what <c>dotnet restore</c> said of a probe.</summary>
internal static partial class RestoreOutput
{
    private const int PackagesNamed = 3;

    // The feed answered, and the answer was no. NU1100: no source at all may serve it; NU1101: no such package; NU1102, NU1103: not in
    // that version; NU1603: only in a later version than asked for, which the build refuses, since warnings are errors.
    private static readonly string[] NotFoundCodes = ["NU1100", "NU1101", "NU1102", "NU1103", "NU1603"];

    // NU1301: a source could not be reached or answered with an error; NU1302: it is plain HTTP, and so was not asked.
    private static readonly string[] UnreachableCodes = ["NU1301", "NU1302"];

    /// <summary>Judges a restore that ended.</summary>
    /// <param name="exitCode">Its exit code.</param>
    /// <param name="lines">Its output, in English.</param>
    public static FeedAnswer Judge(int exitCode, IReadOnlyList<string> lines)
    {
        if (exitCode == 0)
        {
            return FeedAnswer.Served;
        }

        var errors = lines.Select(line => ErrorLine().Match(line)).Where(match => match.Success)
            .Select(match => (Code: match.Groups["code"].Value, Text: match.Groups["text"].Value.Trim())).ToList();

        // One source that does not answer leaves open whether it has the package, whatever the others said. NuGet gives a download
        // that breaks off no code at all.
        var unreachable = errors.FirstOrDefault(error => error.Code.Length == 0 || UnreachableCodes.Contains(error.Code));
        if (unreachable.Text is not null)
        {
            return new FeedAnswer(FeedVerdict.Unreachable, Credentials().Replace(unreachable.Text, "://").TrimEnd('.'));
        }

        var missing = errors.Where(error => NotFoundCodes.Contains(error.Code)).Select(error => PackageIn(error.Text)).OfType<string>()
            .Distinct(StringComparer.OrdinalIgnoreCase).Order(StringComparer.OrdinalIgnoreCase).ToList();
        return errors.Any(error => NotFoundCodes.Contains(error.Code)) ? new FeedAnswer(FeedVerdict.NotFound, Name(missing)) : FeedAnswer.Served;
    }

    private static string? PackageIn(string text) => Package().Match(text) is { Success: true } match
        ? string.Join(' ', new[] { match.Groups["name"].Value, match.Groups["version"].Value }.Where(part => part.Length > 0))
        : null;

    private static string Name(List<string> missing) => missing.Count switch
    {
        0 => "some of its packages",
        <= PackagesNamed => string.Join(", ", missing),
        _ => $"{string.Join(", ", missing.Take(PackagesNamed))} and {missing.Count - PackagesNamed} more",
    };

    [GeneratedRegex(@"(?:^|[\s:])error\s*(?<code>[A-Z]{2,}[0-9]+)?\s*:\s?(?<text>.*)$", RegexOptions.CultureInvariant)]
    private static partial Regex ErrorLine();

    // "Unable to find package X. No packages …", "… package X with version (>= 1.2.0)", "Unable to resolve 'X (>= 1.2.0)' for 'net10.0'",
    // "P 1.0.0 depends on X (>= 1.2.0) but X 1.2.0 was not found".
    [GeneratedRegex(@"(?:find(?: a stable)? package |resolve '|depends on )(?<name>[A-Za-z0-9_]+(?:[.\-][A-Za-z0-9_]+)*)(?:(?: with version)? \(>= (?<version>[^ ,)]+))?", RegexOptions.CultureInvariant)]
    private static partial Regex Package();

    [GeneratedRegex("://[^/@ ]+@", RegexOptions.CultureInvariant)]
    private static partial Regex Credentials();
}
