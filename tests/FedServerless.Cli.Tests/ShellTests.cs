using Spectre.Console;

namespace FedServerless.Cli.Tests;

public sealed class ShellTests
{
    [Theory]
    [InlineData(InteractionSupport.Yes, "", "", "a row\nan error\n")]
    [InlineData(InteractionSupport.No, "a row\n", "an error\n", "")]
    public void WriteLine_TerminalOrNot_GoesThroughWhateverRedrawsTheTerminal(InteractionSupport interaction, string output, string error, string console)
    {
        using var outputWriter = new StringWriter { NewLine = "\n" };
        using var errorWriter = new StringWriter { NewLine = "\n" };
        using var consoleWriter = new StringWriter();
        var shell = new Shell
        {
            Output = outputWriter,
            Error = errorWriter,
            Console = AnsiConsole.Create(new AnsiConsoleSettings
            {
                Ansi = AnsiSupport.No, ColorSystem = ColorSystemSupport.NoColors, Interactive = interaction, Out = new AnsiConsoleOutput(consoleWriter),
            }),
            Variable = _ => null,
            CurrentFolder = "/",
            HomeFolder = "/",
        };

        shell.WriteLine("a row");
        shell.WriteErrorLine("an error");

        Assert.Equal((output, error, console), (outputWriter.ToString(), errorWriter.ToString(), consoleWriter.ToString().ReplaceLineEndings("\n")));
    }
}
