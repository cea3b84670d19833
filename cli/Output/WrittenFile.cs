namespace FedServerless.Cli.Output;

/// <summary>A file that a command writes where the user asked for it.</summary>
internal static class WrittenFile
{
    /// <summary>Writes <paramref name="text"/> as UTF-8, over what is there, and says so.</summary>
    /// <param name="shell">Whose folder and output.</param>
    /// <param name="path">As the user gave it: from the shell's folder, or absolute.</param>
    /// <param name="text">The whole file.</param>
    /// <param name="cancellationToken">Stops; the file may be half written.</param>
    /// <exception cref="CommandException">It cannot be written.</exception>
    public static async Task WriteAsync(Shell shell, string path, string text, CancellationToken cancellationToken)
    {
        try
        {
            await File.WriteAllTextAsync(Path.Combine(shell.CurrentFolder, path), text, cancellationToken);
            shell.Output.WriteLine($"Written: {path}");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new CommandException($"'{path}' cannot be written: {exception.Message}");
        }
    }
}
