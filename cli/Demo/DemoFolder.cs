namespace FedServerless.Cli.Demo;

/// <summary>Where the demo's host and clients keep their files.</summary>
internal sealed class DemoFolder : IDisposable
{
    private readonly string _path;

    private DemoFolder(string path, bool isKept)
    {
        _path = path;
        IsKept = isKept;
    }

    /// <summary>True where the user named the folder.</summary>
    public bool IsKept { get; }

    public string HostPath => Path.Combine(_path, "host");

    public string ClientsPath => Path.Combine(_path, "clients");

    /// <summary>The named folder, or a temporary one that goes with the demo.</summary>
    public static DemoFolder Open(Shell shell, string? named) => named is null
        ? new DemoFolder(Directory.CreateTempSubdirectory("fed-demo-").FullName, isKept: false)
        : new DemoFolder(Path.GetFullPath(named, shell.CurrentFolder), isKept: true);

    public void Dispose()
    {
        if (IsKept)
        {
            return;
        }

        try
        {
            Directory.Delete(_path, recursive: true);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // The system cleans its temporary folder; a result that stands is worth more than this.
        }
    }
}
