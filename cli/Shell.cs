using Spectre.Console;

namespace FedServerless.Cli;

/// <summary>Everything that commands touch outside themselves; a test brings its own.</summary>
internal sealed class Shell
{
    public required TextWriter Output { get; init; }

    public required TextWriter Error { get; init; }

    /// <summary>Writes to <see cref="Output"/>, with colours and live tables where that is a terminal.</summary>
    public required IAnsiConsole Console { get; init; }

    /// <summary>An environment variable, or null.</summary>
    public required Func<string, string?> Variable { get; init; }

    public required string CurrentFolder { get; init; }

    public required string HomeFolder { get; init; }

    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Sends requests to the server; null for a real handler.</summary>
    public HttpMessageHandler? Http { get; init; }

    public static Shell OfThisProcess() => new()
    {
        Output = System.Console.Out,
        Error = System.Console.Error,
        Console = CreateConsole(),
        Variable = Environment.GetEnvironmentVariable,
        CurrentFolder = Environment.CurrentDirectory,
        HomeFolder = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile),
    };

    /// <summary>Writes a line to the output, above a line that is being kept up to date, if there is one.</summary>
    public void WriteLine(string line) => WriteLine(Output, line);

    /// <summary>Writes a line to the errors, or above a line that is being kept up to date.</summary>
    public void WriteErrorLine(string line) => WriteLine(Error, line);

    // While it redraws a line, the console must see everything else that goes to the terminal.
    private void WriteLine(TextWriter writer, string line)
    {
        if (Console.Profile.Capabilities.Interactive)
        {
            Console.WriteLine(line);
        }
        else
        {
            writer.WriteLine(line);
        }
    }

    // A table that goes into a file or a pipe is not folded: whatever reads it has no right edge.
    private static IAnsiConsole CreateConsole()
    {
        const int Unfolded = 1000;
        var console = AnsiConsole.Console;
        if (System.Console.IsOutputRedirected)
        {
            console.Profile.Width = Unfolded;
            console.Profile.Capabilities.Interactive = false;
        }

        return console;
    }

    /// <summary>The clone that this tool belongs to, or null when it runs from somewhere else.</summary>
    public string? FindRepository()
    {
        if (Variable(Variables.Root) is { Length: > 0 } root)
        {
            return root;
        }

        for (var folder = CurrentFolder; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(Path.Combine(folder, "FedServerless.sln")))
            {
                return folder;
            }
        }

        return null;
    }

    public string GetRepository() => FindRepository()
        ?? throw new CommandException("This command needs the sources. Run it as ./fed inside a clone of FedServerless.");
}
