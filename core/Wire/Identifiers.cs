using System.Text.RegularExpressions;

namespace FedServerless.Wire;

/// <summary>The one grammar of every name a person or a device chooses: runs, models, populations, clients.</summary>
public static partial class Identifiers
{
    /// <summary>Longest name, in characters.</summary>
    public const int MaxLength = 64;

    /// <summary>What a name may be, for error messages.</summary>
    public const string Rule = "1 to 64 characters: lower-case letters, digits and single hyphens inside";

    /// <summary>True for a legal name: <c>[a-z0-9]+(-[a-z0-9]+)*</c>, at most <see cref="MaxLength"/> characters.</summary>
    public static bool IsValid(string? name) => name is { Length: > 0 and <= MaxLength } && Grammar().IsMatch(name);

    [GeneratedRegex("^[a-z0-9]+(-[a-z0-9]+)*\\z", RegexOptions.CultureInvariant)]
    private static partial Regex Grammar();
}
