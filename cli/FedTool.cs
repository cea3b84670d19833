using System.CommandLine;
using FedServerless.Cli.Clients;
using FedServerless.Cli.Models;
using FedServerless.Cli.Runs;
using FedServerless.Cli.Testing;

namespace FedServerless.Cli;

/// <summary>The tool: one command line in, one exit code out.</summary>
internal static class FedTool
{
    // Time for a command to clean up after Ctrl+C: stop the host it started, say where its data is.
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(15);

    public static RootCommand CreateRoot(Shell shell) => new("Serverless federated learning: run it, drive it, watch it.")
    {
        TestCommand.Create(shell),
        RunCommands.Create(shell),
        ModelCommands.Create(shell),
        ClientCommands.Create(shell),
        ClientCommands.CreateEnrol(shell),
        VersionCommand.Create(shell),
    };

    public static async Task<int> RunAsync(string[] args, Shell shell, CancellationToken cancellationToken = default)
    {
        var parsed = CreateRoot(shell).Parse(args);
        var settings = new InvocationConfiguration
        {
            Output = shell.Output,
            Error = shell.Error,
            EnableDefaultExceptionHandler = false,
            ProcessTerminationTimeout = Farewell,
        };
        try
        {
            var exitCode = await parsed.InvokeAsync(settings, cancellationToken);
            return parsed.Errors.Count > 0 ? ExitCodes.Usage : exitCode;
        }
        catch (CommandException exception)
        {
            shell.Error.WriteLine($"fed: {exception.Message}");
            return exception.ExitCode;
        }
        catch (OperationCanceledException)
        {
            shell.Error.WriteLine("fed: cancelled.");
            return ExitCodes.Failure;
        }
    }
}
