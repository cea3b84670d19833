using System.Text;
using System.Xml;
using FedServerless.Cli.Testing;

namespace FedServerless.Cli.Tests.Testing;

public sealed class TestReportTests
{
    public const string Sample = """
        <?xml version="1.0" encoding="utf-8"?>
        <assemblies schema-version="3"><assembly name="A.dll" total="5" passed="1" failed="1" skipped="1" not-run="1" errors="1">
          <errors><error type="test-class-cleanup" name="N.C"><failure exception-type="E"><message>cleanup broke</message></failure></error></errors>
          <collection name="c" total="4">
            <test name="N.C.Add_Two_Sums(x: \&quot;a\&quot;)" type="N.C" method="Add_Two_Sums" result="Pass" time="0.25" />
            <test name="N.C.Add_Nan_Throws" type="N.C" method="Add_Nan_Throws" result="Fail" time="1.5"><failure exception-type="E"><message>Expected: 1&#xA;Actual: &#x1;2</message><stack-trace>   at N.C.Add() in C.cs:line 7</stack-trace></failure></test>
            <test name="N.C.Add_OnAzurite_Sums" type="N.C" method="Add_OnAzurite_Sums" result="Skip" time="0"><reason>npm was not found</reason></test>
            <test name="N.C.Add_Explicit_Sums" type="N.C" method="Add_Explicit_Sums" result="NotRun" time="0" />
          </collection>
        </assembly></assemblies>
        """;

    [Fact]
    public void Read_PassedFailedSkippedAndNotRun_GivesTheFirstThree()
    {
        var cases = Read(Sample);

        Assert.Equal(
            [
                ("N.C.Add_Two_Sums(x: \"a\")", TestOutcome.Passed, 0.25),
                ("N.C.Add_Nan_Throws", TestOutcome.Failed, 1.5),
                ("N.C.Add_OnAzurite_Sums", TestOutcome.Skipped, 0),
            ],
            cases.Take(3).Select(test => (test.Name, test.Outcome, test.Seconds)));
    }

    [Fact]
    public void Read_Failure_KeepsMessageAndStack()
    {
        var text = Read(Sample)[1].Text!;

        Assert.StartsWith("Expected: 1\nActual: \u00012", text, StringComparison.Ordinal);
        Assert.EndsWith("at N.C.Add() in C.cs:line 7", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_Skip_KeepsTheReason() => Assert.Equal("npm was not found", Read(Sample)[2].Text);

    [Fact]
    public void Read_ErrorOutsideOfTests_CountsAsFailed()
    {
        var error = Assert.Single(Read(Sample).Skip(3));

        Assert.Equal(("test-class-cleanup: N.C", TestOutcome.Failed, "cleanup broke"), (error.Name, error.Outcome, error.Text));
    }

    [Fact]
    public void Read_HalfAFile_IsRefused() => Assert.Throws<XmlException>(() => Read(Sample[..^40]));

    private static IReadOnlyList<TestCase> Read(string xml) => TestReport.Read(new MemoryStream(Encoding.UTF8.GetBytes(xml)));
}
