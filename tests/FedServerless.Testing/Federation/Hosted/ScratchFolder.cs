namespace FedServerless.Testing.Federation.Hosted;

/// <summary>
/// A folder that goes when the test ends. In memory where the machine has such a place: the tests kill processes, never the
/// power, so a flush that reaches no disk costs them nothing.
/// </summary>
public sealed class ScratchFolder : IDisposable
{
    private const string MemoryFolder = "/dev/shm";

    public ScratchFolder()
    {
        var root = Directory.Exists(MemoryFolder) ? MemoryFolder : System.IO.Path.GetTempPath();
        Path = Directory.CreateDirectory(System.IO.Path.Combine(root, $"fed-{Guid.NewGuid():n}")).FullName;
    }

    public string Path { get; }

    public string Combine(string name) => System.IO.Path.Combine(Path, name);

    public void Dispose()
    {
        try
        {
            Directory.Delete(Path, recursive: true);
        }
        catch (IOException)
        {
            // A process that was killed a moment ago may still hold a file; the machine's own cleaning takes it.
        }
    }
}
