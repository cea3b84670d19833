namespace FedServerless.Cli.Hosting;

/// <summary>Finds the local host's program. It is started as a process of its own: nothing in this tool references a host.</summary>
internal static class HostProgram
{
    private const string File = "FedServerless.Local.dll";

    /// <exception cref="CommandException">It is nowhere.</exception>
    public static string Find(Shell shell)
    {
        var beside = Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "..", "host", File));
        var path = shell.Variable(Variables.Host) is { Length: > 0 } named ? named : beside;
        return System.IO.File.Exists(path)
            ? path
            : throw new CommandException($"The local host's program is not at {path}. Run this as ./fed inside a clone, or name the program in {Variables.Host}.");
    }
}
