using System.Globalization;
using System.Text.RegularExpressions;
using FedServerless.Infra.Tests.Bicep;
using FedServerless.Testing;

namespace FedServerless.Infra.Tests;

/// <summary>The alerts ask for what the host reports.</summary>
public sealed partial class AlertTests
{
    private static readonly BicepFile Alerts = Templates.All["modules/alerts.bicep"];

    [Fact]
    public void Queries_EveryEventId_IsOneThatTheCodeLogs()
    {
        var logged = new[] { "orchestrations", "gateway", "functions" }.Select(folder => RepositoryRoot.Combine(folder))
            .SelectMany(folder => Directory.EnumerateFiles(folder, "*.cs", SearchOption.AllDirectories))
            .SelectMany(file => Message().Matches(File.ReadAllText(file))).Select(match => match.Groups["id"].Value).ToHashSet(StringComparer.Ordinal);
        var asked = Texts("query").SelectMany(query => EventId().Matches(query)).Select(match => match.Value).ToList();

        Assert.NotEmpty(asked);
        Assert.All(asked, id => Assert.Contains(id, logged));
    }

    [Fact]
    public void Queries_AreToldApartAndHaveTwoWindowsOfTheirFrequency()
    {
        var names = Texts("name").ToList();
        var windows = Texts("window").Zip(Texts("frequency")).ToList();

        Assert.Equal(names.Count, names.Distinct(StringComparer.Ordinal).Count());
        Assert.All(windows, pair => Assert.True(Minutes(pair.First) >= 2 * Minutes(pair.Second), $"{pair}: telemetry that comes late would be missed"));
    }

    [Fact]
    public void HowTo_SaysWhatToDoAboutEachAlert()
    {
        var page = File.ReadAllText(RepositoryRoot.Combine("docs", "how-to", "deploy-to-azure.md"));

        Assert.All(Texts("name"), name => Assert.Contains($"`{name}`", page, StringComparison.Ordinal));
    }

    [Fact]
    public void Queries_EveryMeasurement_IsOneOfThePage()
    {
        var page = File.ReadAllText(RepositoryRoot.Combine("docs", "concepts", "telemetry.md"));
        var asked = Texts("query").SelectMany(query => Measurement().Matches(query)).Select(match => match.Value).Distinct(StringComparer.Ordinal).ToList();

        Assert.Contains("fed.rounds", asked);
        Assert.Contains("fed.privacy.spent_ratio", asked);
        Assert.All(asked, name => Assert.Contains($"`{name}`", page, StringComparison.Ordinal));
    }

    // What does not depend on parameters; where text does, the text around them.
    private static IEnumerable<string> Texts(string property) => Alerts.Declarations.OfType<Variable>().SelectMany(variable => variable.Value.All()).OfType<ObjectOf>()
        .Select(query => string.Concat(((Text)query.At(property)!).Parts.OfType<Fragment>().Select(part => part.Value)));

    private static int Minutes(string duration) => Duration().Match(duration) is { Success: true } match
        ? int.Parse(match.Groups["n"].Value, CultureInfo.InvariantCulture) * match.Groups["unit"].Value switch { "D" => 1440, "H" => 60, _ => 1 }
        : throw new FormatException(duration);

    [GeneratedRegex(@"LoggerMessage\((?<id>\d+),", RegexOptions.CultureInvariant)]
    private static partial Regex Message();

    [GeneratedRegex(@"\b\d{4}\b", RegexOptions.CultureInvariant)]
    private static partial Regex EventId();

    [GeneratedRegex(@"\bfed\.[a-z_.]+", RegexOptions.CultureInvariant)]
    private static partial Regex Measurement();

    [GeneratedRegex("^P(?:T(?<n>[0-9]+)(?<unit>[MH])|(?<n>[0-9]+)(?<unit>D))$", RegexOptions.CultureInvariant)]
    private static partial Regex Duration();
}
