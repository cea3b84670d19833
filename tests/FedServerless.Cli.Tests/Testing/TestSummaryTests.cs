using FedServerless.Cli.Testing;

namespace FedServerless.Cli.Tests.Testing;

public sealed class TestSummaryTests
{
    [Fact]
    public void Write_Always_EndsWithTheCounts()
    {
        var (lines, exitCode) = Write(new TestCase("N.A", TestOutcome.Passed, 1, null), new TestCase("N.B", TestOutcome.Skipped, 0, "no npm"));

        Assert.Equal("1 passed, 0 failed, 1 skipped", lines[^1]);
        Assert.Equal("total 12.5 s", lines[^2]);
        Assert.Equal(ExitCodes.Success, exitCode);
    }

    [Fact]
    public void Write_Failure_ShowsTextAndFails()
    {
        var (lines, exitCode) = Write(new TestCase("N.A", TestOutcome.Failed, 1, "Expected: 1\nActual: 2"));

        Assert.Equal(ExitCodes.Failure, exitCode);
        var at = Array.IndexOf(lines, "FAILED N.A");
        Assert.Equal(["  Expected: 1", "  Actual: 2"], lines[(at + 1)..(at + 3)]);
        Assert.Equal("0 passed, 1 failed, 0 skipped", lines[^1]);
    }

    [Fact]
    public void Write_NoTests_Fails()
    {
        var (lines, exitCode) = Write();

        Assert.Equal(ExitCodes.Failure, exitCode);
        Assert.Equal("0 passed, 0 failed, 0 skipped", lines[^1]);
    }

    [Fact]
    public void Write_ManyTests_ShowsTheTenSlowestInOrder()
    {
        var (lines, _) = Write([.. Enumerable.Range(1, 12).Select(i => new TestCase($"N.T{i:00}", TestOutcome.Passed, i, null))]);

        var at = Array.IndexOf(lines, "slowest:");
        Assert.Equal(
            Enumerable.Range(3, 10).Reverse().Select(i => $"N.T{i:00}"),
            lines[(at + 1)..(at + 11)].Select(line => line.Split("  ")[^1]));
        Assert.Equal("", lines[at + 11]);
    }

    [Fact]
    public void Write_SkipsOfOneReason_AreOneLine()
    {
        var (lines, _) = Write([.. Enumerable.Range(1, 5).Select(i => new TestCase($"N.T{i}", TestOutcome.Skipped, 0, "no npm"))]);

        Assert.Contains("  no npm: N.T1, N.T2, N.T3 and 2 more", lines);
    }

    private static (string[] Lines, int ExitCode) Write(params TestCase[] cases)
    {
        var output = new StringWriter();
        var exitCode = new TestSummary(cases, TimeSpan.FromSeconds(12.5)).Write(output);
        return (output.ToString().TrimEnd().Split(Environment.NewLine), exitCode);
    }
}
