namespace FedServerless.Cli.Testing;

/// <summary>What <c>fed test</c> says at the end; the last line is made for scripts.</summary>
internal sealed class TestSummary(IReadOnlyList<TestCase> cases, TimeSpan elapsed)
{
    private const int SlowestShown = 10;
    private const int LongestName = 160;
    private const int SkippedNamesShown = 3;

    /// <summary>Lines on what was not built at all; none by default.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary><c>N passed, N failed, N skipped</c>.</summary>
    public static string Count(IReadOnlyList<TestCase> cases)
    {
        return $"{Of(TestOutcome.Passed)} passed, {Of(TestOutcome.Failed)} failed, {Of(TestOutcome.Skipped)} skipped";

        int Of(TestOutcome outcome) => cases.Count(test => test.Outcome == outcome);
    }

    /// <summary>Writes it.</summary>
    /// <returns>The exit code: a failure where a test failed, and where none ran.</returns>
    public int Write(TextWriter output)
    {
        WriteSkipped(output);
        WriteSlowest(output);
        WriteFailed(output);
        output.WriteLine();
        if (cases.Count == 0)
        {
            output.WriteLine("No test ran. Is the filter right?");
        }

        foreach (var note in Notes)
        {
            output.WriteLine(note);
        }

        output.WriteLine($"total {elapsed.TotalSeconds:0.0} s");
        output.WriteLine(Count(cases));
        return cases.Count == 0 || cases.Any(test => test.Outcome == TestOutcome.Failed) ? ExitCodes.Failure : ExitCodes.Success;
    }

    private void WriteSkipped(TextWriter output)
    {
        var groups = cases.Where(test => test.Outcome == TestOutcome.Skipped)
            .GroupBy(test => test.Text, StringComparer.Ordinal)
            .OrderBy(group => group.Key, StringComparer.Ordinal)
            .ToList();
        if (groups.Count == 0)
        {
            return;
        }

        output.WriteLine();
        output.WriteLine("skipped:");
        foreach (var group in groups)
        {
            var names = string.Join(", ", group.Take(SkippedNamesShown).Select(test => Shorten(test.Name)));
            var more = group.Count() > SkippedNamesShown ? $" and {group.Count() - SkippedNamesShown} more" : "";
            output.WriteLine($"  {group.Key}: {names}{more}");
        }
    }

    private void WriteSlowest(TextWriter output)
    {
        if (cases.Count == 0)
        {
            return;
        }

        output.WriteLine();
        output.WriteLine("slowest:");
        foreach (var test in cases.OrderByDescending(test => test.Seconds).ThenBy(test => test.Name, StringComparer.Ordinal).Take(SlowestShown))
        {
            output.WriteLine($"  {test.Seconds,7:0.00} s  {Shorten(test.Name)}");
        }
    }

    private void WriteFailed(TextWriter output)
    {
        foreach (var test in cases.Where(test => test.Outcome == TestOutcome.Failed))
        {
            output.WriteLine();
            output.WriteLine($"FAILED {test.Name}");
            foreach (var line in (test.Text ?? "").Split('\n'))
            {
                output.WriteLine($"  {line.TrimEnd('\r')}");
            }
        }
    }

    private static string Shorten(string name) => name.Length <= LongestName ? name : string.Concat(name.AsSpan(0, LongestName - 1), "…");
}
