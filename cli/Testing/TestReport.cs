using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Xml;
using System.Xml.Linq;

namespace FedServerless.Cli.Testing;

/// <summary>Reads the report that an xunit program writes with <c>-xml</c>.</summary>
internal static class TestReport
{
    /// <summary>The tests of a report; errors outside of tests count as failed ones.</summary>
    /// <exception cref="XmlException">The file is not a whole report: the program ended while it wrote.</exception>
    public static IReadOnlyList<TestCase> Read(Stream report)
    {
        // Test names and messages may hold characters that XML does not allow even when escaped.
        using var reader = XmlReader.Create(report, new XmlReaderSettings { CheckCharacters = false });
        var document = XDocument.Load(reader);
        var tests = document.Descendants("test").Select(ReadTest).OfType<TestCase>();
        var errors = document.Descendants("error").Select(ReadError);
        return [.. tests, .. errors];
    }

    private static TestCase? ReadTest(XElement test)
    {
        var name = Plain((string?)test.Attribute("name") ?? "a test without a name");
        var seconds = double.TryParse((string?)test.Attribute("time"), NumberStyles.Float, CultureInfo.InvariantCulture, out var time) ? time : 0;
        return (string?)test.Attribute("result") switch
        {
            "Pass" => new TestCase(name, TestOutcome.Passed, seconds, null),
            "Skip" => new TestCase(name, TestOutcome.Skipped, seconds, Plain(test.Element("reason")?.Value.Trim()) ?? "no reason given"),
            "NotRun" => null,
            _ => new TestCase(name, TestOutcome.Failed, seconds, ReadFailure(test.Element("failure"))),
        };
    }

    private static TestCase ReadError(XElement error)
    {
        var kind = (string?)error.Attribute("type") ?? "error";
        var name = (string?)error.Attribute("name");
        return new TestCase(name is null ? kind : $"{kind}: {name}", TestOutcome.Failed, 0, ReadFailure(error.Element("failure")));
    }

    // xunit writes quotes as in a C# literal, on top of XML's own escapes.
    [return: NotNullIfNotNull(nameof(text))]
    private static string? Plain(string? text) => text?.Replace("\\\"", "\"", StringComparison.Ordinal);

    private static string ReadFailure(XElement? failure) => string.Join(
        Environment.NewLine,
        new[] { Plain(failure?.Element("message")?.Value.Trim()), failure?.Element("stack-trace")?.Value.TrimEnd() }
            .Where(text => !string.IsNullOrEmpty(text))
            .DefaultIfEmpty("no message"));
}
