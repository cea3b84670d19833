using System.Diagnostics;

namespace FedServerless.Cli.Processes;

/// <summary>A program that is run to its end.</summary>
internal static class ChildProcess
{
    /// <summary>Runs it; ends it and all it started when cancelled.</summary>
    /// <param name="start">What to run; output is redirected.</param>
    /// <param name="onLine">Gets each line of output and of errors, one at a time.</param>
    /// <param name="cancellationToken">Ends the program.</param>
    /// <returns>Its exit code.</returns>
    public static async Task<int> RunAsync(ProcessStartInfo start, Action<string> onLine, CancellationToken cancellationToken)
    {
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        start.RedirectStandardInput = true;
        start.UseShellExecute = false;
        var gate = new Lock();
        using var process = new Process { StartInfo = start };
        process.OutputDataReceived += (_, line) => Receive(line.Data);
        process.ErrorDataReceived += (_, line) => Receive(line.Data);
        process.Start();
        process.StandardInput.Close();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        try
        {
            await process.WaitForExitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }

        return process.ExitCode;

        void Receive(string? line)
        {
            if (line is not null)
            {
                lock (gate)
                {
                    onLine(line);
                }
            }
        }
    }

    /// <summary>A start of the dotnet that runs this tool.</summary>
    public static ProcessStartInfo Dotnet(params IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(DotnetPath);
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        return start;
    }

    // Under ./fed this process is dotnet itself; as fed.exe or inside a test program it is not.
    private static string DotnetPath =>
        Environment.ProcessPath is { } path && Path.GetFileNameWithoutExtension(path) == "dotnet" ? path : "dotnet";
}
