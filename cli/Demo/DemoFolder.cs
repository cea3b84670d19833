namespace FedServerless.Cli.Demo;

/// <summary>Where the demo's host and clients keep their files.</summary>
internal sealed class DemoFolder : IDisposable
{
    // Where Linux keeps files in memory. A client waits for the disk seven times a round, so that it survives a power cut; here
    // nothing has to: 10 clients take 0.13 s a round in memory and 0.28 s on the disk of the machine this was measured on.
    private const string MemoryFolder = "/dev/shm";

    // A demo of thirty rounds needs a few megabytes, one of a thousand a hundred.
    private const long MemoryNeeded = 512L << 20;

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
        ? new DemoFolder(CreateTemporary(), isKept: false)
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

    private static string CreateTemporary()
    {
        try
        {
            if (OperatingSystem.IsLinux() && new DriveInfo(MemoryFolder).AvailableFreeSpace >= MemoryNeeded)
            {
                var path = Path.Combine(MemoryFolder, $"fed-demo-{Path.GetRandomFileName()}");
                Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
                return path;
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Not everywhere does it exist, and not everywhere may one write there.
        }

        return Directory.CreateTempSubdirectory("fed-demo-").FullName;
    }
}
