using FedServerless.Cli.Testing;

namespace FedServerless.Cli.Tests.Testing;

public sealed class TestProgramTests : IDisposable
{
    private const string AllPass = """<assemblies><assembly><collection><test name="N.C.M" result="Pass" time="1" /></collection></assembly></assemblies>""";
    private readonly string _report = Path.GetTempFileName();

    public void Dispose() => File.Delete(_report);

    [Fact]
    public void Judge_EndsWellWithReport_GivesItsTests() => Assert.Equal(TestOutcome.Passed, Assert.Single(Judge(AllPass, 0)).Outcome);

    [Fact]
    public void Judge_FailureCodeAndReportedFailures_AddsNoCrash() =>
        Assert.Equal(2, Judge(TestReportTests.Sample, 1).Count(test => test.Outcome == TestOutcome.Failed));

    [Theory]
    [InlineData(AllPass, 134, "ended with code 134 and a report without a failure")]
    [InlineData("", 0, "ended with code 0 and no whole report")]
    [InlineData("<assemblies><assembly>", 139, "ended with code 139 and no whole report")]
    public void Judge_CrashedProgram_IsAFailedTestWithItsOutput(string report, int exitCode, string why)
    {
        var crash = Judge(report, exitCode).Last();

        Assert.Equal(("P.Tests (the program)", TestOutcome.Failed), (crash.Name, crash.Outcome));
        Assert.Contains(why, crash.Text, StringComparison.Ordinal);
        Assert.Contains("Stack overflow.", crash.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Judge_OutOfTime_SaysAfterHowLong() => Assert.Contains("did not end within 20 minutes", Judge("", null).Last().Text, StringComparison.Ordinal);

    [Fact]
    public void FilterArguments_TextOrQuery_BecomeXunitsOptions()
    {
        Assert.Empty(new TestOptions().FilterArguments);
        Assert.Equal(["-method", "*Mean*"], new TestOptions { Filter = "Mean" }.FilterArguments);
        Assert.Equal(["-filter", "/*/*/Mean*"], new TestOptions { Filter = "/*/*/Mean*" }.FilterArguments);
    }

    [Fact]
    public void FilterArguments_PartIsServed_LeaveOutWhatStandsInForIt()
    {
        Assert.Equal(["-trait-", "StandsInFor=functions"], new TestOptions { Served = ["functions"] }.FilterArguments);
        Assert.Equal(["-method", "*Mean*", "-trait-", "StandsInFor=functions"], new TestOptions { Filter = "Mean", Served = ["functions"] }.FilterArguments);
    }

    private IReadOnlyList<TestCase> Judge(string report, int? exitCode)
    {
        File.WriteAllText(_report, report);
        return TestProgram.Judge(new TestProject("P.Tests", "P.Tests.dll", _report), exitCode, TimeSpan.FromMinutes(20), ["Stack overflow."]);
    }
}
