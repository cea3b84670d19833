using System.Diagnostics;
using System.Globalization;
using System.Xml;
using FedServerless.Cli.Processes;

namespace FedServerless.Cli.Testing;

/// <summary>What became of one test program.</summary>
/// <param name="Project">The project.</param>
/// <param name="Cases">Its tests; a crash is one failed test.</param>
/// <param name="Elapsed">How long the program ran.</param>
internal sealed record TestProgramResult(TestProject Project, IReadOnlyList<TestCase> Cases, TimeSpan Elapsed);

/// <summary>Runs test programs.</summary>
internal static class TestProgram
{
    private const int KeptLines = 60;

    /// <summary>Runs a program and reads its report.</summary>
    /// <param name="project">The project, built.</param>
    /// <param name="options">What to run.</param>
    /// <param name="onFailure">Gets a line for each test that fails, while it runs.</param>
    /// <param name="cancellationToken">Ends the program.</param>
    public static async Task<TestProgramResult> RunAsync(
        TestProject project, TestOptions options, Action<string> onFailure, CancellationToken cancellationToken)
    {
        var watch = Stopwatch.StartNew();
        Directory.CreateDirectory(Path.GetDirectoryName(project.Report)!);
        File.Delete(project.Report);
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limited.CancelAfter(options.TimeLimit);
        var output = new Queue<string>();
        int? exitCode = null;
        try
        {
            exitCode = await ChildProcess.RunAsync(Start(project, options), Receive, limited.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // Out of time: told below, like every other program that leaves no report.
        }

        return new TestProgramResult(project, Judge(project, exitCode, options.TimeLimit, output), watch.Elapsed);

        void Receive(string line)
        {
            output.Enqueue(line);
            if (output.Count > KeptLines)
            {
                output.Dequeue();
            }

            if (line.EndsWith("[FAIL]", StringComparison.Ordinal))
            {
                onFailure(line.Trim());
            }
        }
    }

    /// <summary>The tests of a program that ended: its report's, and one failed test more if it crashed or was stopped.</summary>
    public static IReadOnlyList<TestCase> Judge(TestProject project, int? exitCode, TimeSpan timeLimit, IEnumerable<string> output)
    {
        var cases = ReadReport(project.Report);
        if (exitCode is 0 && cases is not null)
        {
            return cases;
        }

        if (exitCode is > 0 && cases is not null && cases.Any(test => test.Outcome == TestOutcome.Failed))
        {
            return cases;
        }

        var why = exitCode is null
            ? $"The program did not end within {timeLimit.TotalMinutes:0} minutes and was stopped."
            : $"The program ended with code {exitCode} and {(cases is null ? "no whole report" : "a report without a failure")}.";
        var text = string.Join(Environment.NewLine, output.Prepend($"{why} Its last output:"));
        return [.. cases ?? [], new TestCase($"{project.Name} (the program)", TestOutcome.Failed, 0, text)];
    }

    private static IReadOnlyList<TestCase>? ReadReport(string path)
    {
        try
        {
            using var report = File.OpenRead(path);
            return TestReport.Read(report);
        }
        catch (Exception exception) when (exception is XmlException or IOException)
        {
            return null;
        }
    }

    /// <summary>How a program is started.</summary>
    public static ProcessStartInfo Start(TestProject project, TestOptions options)
    {
        var start = ChildProcess.Dotnet([project.Program, "-noLogo", "-noColor", "-noAutoReporters", "-xml", project.Report, .. options.FilterArguments]);
        start.WorkingDirectory = Path.GetDirectoryName(project.Program)!;
        if (project.Processors is { } processors)
        {
            start.Environment["DOTNET_PROCESSOR_COUNT"] = processors.ToString(CultureInfo.InvariantCulture);
        }

        if (options.Long)
        {
            start.Environment[Variables.LongTests] = "1";
        }

        return start;
    }
}
