using System.CommandLine;
using System.Reflection;
using System.Runtime.InteropServices;

namespace FedServerless.Cli;

/// <summary><c>fed version</c>: what is installed.</summary>
internal static class VersionCommand
{
    public static Command Create(Shell shell)
    {
        var command = new Command("version", "Show the version of the tool and of .NET.");
        command.SetAction(_ => shell.Output.WriteLine($"fed {OfThisTool()} ({RuntimeInformation.FrameworkDescription}, {RuntimeInformation.RuntimeIdentifier})"));
        return command;
    }

    public static string OfThisTool() =>
        typeof(VersionCommand).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0";
}
