namespace FedServerless.Cli.Server;

/// <summary>The folder in which a local host keeps everything, and what it leaves there for this tool.</summary>
/// <param name="Path">The folder.</param>
internal sealed record DataFolder(string Path)
{
    /// <summary>Its file with the host's address, while the host runs.</summary>
    public string UrlFile => System.IO.Path.Combine(Path, "host.url");

    /// <summary>Its file with the operator key.</summary>
    public string KeyFile => System.IO.Path.Combine(Path, "operator.key");

    /// <summary>Where <c>fed up</c> puts its data when not told: in the clone if there is one, else in the home folder.</summary>
    public static DataFolder Default(Shell shell) => Candidates(shell)[0];

    /// <summary>The folder that the running host most likely uses: the first one with an address in it, else the default.</summary>
    public static DataFolder Discover(Shell shell)
    {
        var candidates = Candidates(shell);
        return candidates.FirstOrDefault(folder => File.Exists(folder.UrlFile)) ?? candidates[0];
    }

    public string? ReadUrl() => Read(UrlFile);

    public string? ReadKey() => Read(KeyFile);

    private static IReadOnlyList<DataFolder> Candidates(Shell shell)
    {
        var home = new DataFolder(System.IO.Path.Combine(shell.HomeFolder, ".fedserverless"));
        return shell.FindRepository() is { } repository
            ? [new DataFolder(System.IO.Path.Combine(repository, ".fed", "data")), home]
            : [home];
    }

    private static string? Read(string path)
    {
        try
        {
            return File.ReadAllText(path).Trim() is { Length: > 0 } text ? text : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
