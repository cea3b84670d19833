using System.Globalization;
using Microsoft.Extensions.Configuration;

namespace FedServerless.Functions.Platform.Settings;

/// <summary>
/// Reads the settings under <c>Fed</c>, one by one, and gathers what is wrong with any of them. What was never asked for and stands
/// there all the same is a misspelling.
/// </summary>
internal sealed class SettingsReader(IConfiguration configuration)
{
    /// <summary>The section; in the environment a setting is <c>Fed__Name</c>.</summary>
    public const string Section = "Fed";

    /// <summary>Longest value that a problem repeats.</summary>
    private const int MaxShown = 100;

    private readonly List<string> _problems = [];

    private readonly List<string> _known = [];

    /// <summary>Names that were asked for, without the section.</summary>
    public IReadOnlyList<string> Known => _known;

    /// <summary>Everything that is wrong so far.</summary>
    public IReadOnlyList<string> Problems => _problems;

    /// <summary>The name as people write it.</summary>
    public static string Spell(string name) => $"{Section}__{name}";

    /// <summary>True when there is a value, right or wrong.</summary>
    public bool Has(string name) => Value(name) is not null;

    /// <summary>A text; null when absent or empty.</summary>
    public string? Text(string name)
    {
        _known.Add(name);
        return Value(name);
    }

    private string? Value(string name)
    {
        var value = configuration[$"{Section}:{name}"];
        return string.IsNullOrWhiteSpace(value) ? null : value.Trim();
    }

    /// <summary>A text of a certain form; null when absent or wrong.</summary>
    public string? Text(string name, Func<string, bool> isRight, string expected)
    {
        var value = Text(name);
        return value is null || isRight(value) ? value : Refuse<string>(name, value, expected);
    }

    /// <summary>An absolute HTTPS address without a query; plain HTTP too where the setting allows it.</summary>
    public Uri? Address(string name, string expected, bool allowHttp = false)
    {
        var value = Text(name);
        if (value is null)
        {
            return null;
        }

        return Uri.TryCreate(value, UriKind.Absolute, out var url) && url.Query.Length == 0 && url.UserInfo.Length == 0 && url.Fragment.Length == 0
            && (url.Scheme == Uri.UriSchemeHttps || (allowHttp && url.Scheme == Uri.UriSchemeHttp))
            ? url
            : Refuse<Uri>(name, value, expected);
    }

    /// <summary>One of a few words.</summary>
    public T Choice<T>(string name, T otherwise)
        where T : struct, Enum
    {
        var value = Text(name);
        if (value is null)
        {
            return otherwise;
        }

        var match = Enum.GetNames<T>().FirstOrDefault(word => string.Equals(word, value, StringComparison.OrdinalIgnoreCase));
        if (match is not null)
        {
            return Enum.Parse<T>(match);
        }

        _problems.Add(Sentence(name, value, string.Join(" or ", Enum.GetNames<T>())));
        return otherwise;
    }

    /// <summary>A duration from one to another.</summary>
    public TimeSpan Duration(string name, TimeSpan otherwise, TimeSpan min, TimeSpan max)
    {
        var value = Text(name);
        if (value is null)
        {
            return otherwise;
        }

        if (TimeSpan.TryParseExact(value, ["c", @"h\:mm\:ss"], CultureInfo.InvariantCulture, out var duration) && duration >= min && duration <= max)
        {
            return duration;
        }

        _problems.Add(Sentence(name, value, $"a duration from {min} to {max}, written as [days.]hours:minutes:seconds"));
        return otherwise;
    }

    /// <summary>A finite number above 0, up to a maximum.</summary>
    public double Number(string name, double otherwise, double max)
    {
        var value = Text(name);
        if (value is null)
        {
            return otherwise;
        }

        if (double.TryParse(value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) && number > 0 && number <= max)
        {
            return number;
        }

        _problems.Add(Sentence(name, value, string.Create(CultureInfo.InvariantCulture, $"a number above 0 and at most {max}")));
        return otherwise;
    }

    /// <summary>A setting that must be there.</summary>
    public void Missing(string name, string expected) => _problems.Add($"{Spell(name)} is missing; expected {expected}.");

    /// <summary>Something that is wrong with more than one setting, or with one in this place.</summary>
    public void Add(string sentence) => _problems.Add(sentence);

    /// <summary>Names what stands under <c>Fed</c> and means nothing. Call it last.</summary>
    public void RefuseUnknown()
    {
        var known = new HashSet<string>(_known, StringComparer.OrdinalIgnoreCase);
        foreach (var child in configuration.GetSection(Section).GetChildren().Where(child => !known.Contains(child.Key)))
        {
            _problems.Add($"{Spell(child.Key)} is not a setting; it is probably misspelt.{Suggest(child.Key)}");
        }

        // FED_STORAGEURI or FedStorageUri: meant for us, and nobody would ever read it.
        foreach (var key in configuration.GetChildren().Select(child => child.Key).Where(IsOurs))
        {
            var bare = Bare(key)[Section.Length..];
            if (_known.FirstOrDefault(name => Bare(name) == bare) is { } meant)
            {
                _problems.Add($"{key} is not a setting; it is probably misspelt. Did you mean {Spell(meant)}?");
            }
        }
    }

    private static bool IsOurs(string key) =>
        key.StartsWith(Section, StringComparison.OrdinalIgnoreCase) && !string.Equals(key, Section, StringComparison.OrdinalIgnoreCase);

    private static string Bare(string name) => string.Concat(name.Where(char.IsAsciiLetterOrDigit)).ToLowerInvariant();

    private T? Refuse<T>(string name, string value, string expected)
        where T : class
    {
        _problems.Add(Sentence(name, value, expected));
        return null;
    }

    private static string Sentence(string name, string value, string expected) =>
        $"{Spell(name)} is '{(value.Length <= MaxShown ? value : value[..MaxShown] + "…")}'; expected {expected}.";

    private string Suggest(string name)
    {
        var nearest = _known.Select(known => (known, far: Distance(Bare(known), Bare(name)))).MinBy(pair => pair.far);
        return nearest.known is not null && nearest.far <= Math.Max(2, name.Length / 3) ? $" Did you mean {Spell(nearest.known)}?" : "";
    }

    // Levenshtein's distance, one row at a time.
    private static int Distance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var above = row[j];
                row[j] = Math.Min(Math.Min(above, row[j - 1]) + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1));
                diagonal = above;
            }
        }

        return row[^1];
    }
}
