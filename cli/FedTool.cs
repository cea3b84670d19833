using System.CommandLine;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using FedServerless.Cli.Audit;
using FedServerless.Cli.Clients;
using FedServerless.Cli.Demo;
using FedServerless.Cli.Hosting;
using FedServerless.Cli.Laboratory;
using FedServerless.Cli.Models;
using FedServerless.Cli.Plans;
using FedServerless.Cli.Privacy;
using FedServerless.Cli.Runs;
using FedServerless.Cli.Secrets;
using FedServerless.Cli.Testing;

namespace FedServerless.Cli;

/// <summary>The tool: one command line in, one exit code out.</summary>
internal static class FedTool
{
    // Time for a command to clean up after Ctrl+C: stop the host it started, say where its data is.
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(15);

    public static RootCommand CreateRoot(Shell shell) => new("Serverless federated learning: run it, drive it, watch it.")
    {
        DemoCommand.Create(shell),
        AttackCommand.Create(shell),
        TestCommand.Create(shell),
        UpCommand.Create(shell),
        RunCommands.Create(shell),
        PlanCommand.Create(shell),
        PrivacyCommands.Create(shell),
        ModelCommands.Create(shell),
        ClientCommands.Create(shell),
        ClientCommands.CreateEnrol(shell),
        SecretCommands.Create(shell),
        AuditCommand.Create(shell),
        VersionCommand.Create(shell),
    };

    public static async Task<int> RunAsync(string[] args, Shell shell, CancellationToken cancellationToken = default)
    {
        try
        {
            return await InvokeAsync(args, shell, cancellationToken);
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
        catch (Exception exception)
        {
            // What nobody foresaw, in a line; whoever looks for its cause wants to see where it comes from.
            shell.Error.WriteLine(shell.Variable(Variables.Debug) is { Length: > 0 }
                ? $"fed: {exception}"
                : $"fed: this should not have happened: {exception.GetType().Name}: {exception.Message} Set {Variables.Debug}=1 to see where, and please report it.");
            return ExitCodes.Failure;
        }
    }

    private static async Task<int> InvokeAsync(string[] args, Shell shell, CancellationToken cancellationToken)
    {
        var parsed = CreateRoot(shell).Parse(args);
        if (parsed.Action is ParseErrorAction)
        {
            WriteErrors(parsed, shell.Error);
            return ExitCodes.Usage;
        }

        var settings = new InvocationConfiguration
        {
            Output = shell.Output,
            Error = shell.Error,
            EnableDefaultExceptionHandler = false,
            ProcessTerminationTimeout = Farewell,
        };
        return await parsed.InvokeAsync(settings, cancellationToken);
    }

    private static void WriteErrors(ParseResult parsed, TextWriter error)
    {
        var command = parsed.CommandResult.Command;
        if (command.Subcommands.Count > 0 && command.Action is null)
        {
            // The library's own words for this do not say which commands there are.
            var given = parsed.UnmatchedTokens.Count == 0 ? "a command is missing" : $"there is no command '{parsed.UnmatchedTokens[0]}'";
            error.WriteLine($"fed: {given}; expected {string.Join(", ", command.Subcommands.Select(known => known.Name))}.");
        }
        else
        {
            foreach (var problem in parsed.Errors)
            {
                error.WriteLine($"fed: {Readable(problem.Message)}");
            }
        }

        var names = new List<string>();
        for (var result = parsed.CommandResult; result is not null; result = result.Parent as CommandResult)
        {
            names.Add(result.Command is RootCommand ? "fed" : result.Command.Name);
        }

        names.Reverse();
        error.WriteLine($"See: {string.Join(' ', names)} --help");
    }

    // The library names .NET's types.
    private static string Readable(string message)
    {
        var at = message.IndexOf(" as expected type ", StringComparison.Ordinal);
        if (at < 0)
        {
            return message;
        }

        var expected = message.Contains("Double", StringComparison.Ordinal) ? "a number"
            : message.Contains("Int64", StringComparison.Ordinal) ? $"a whole number from {long.MinValue} to {long.MaxValue}"
            : $"a whole number up to {int.MaxValue}";
        return $"{message[..at]}; expected {expected}.";
    }
}
