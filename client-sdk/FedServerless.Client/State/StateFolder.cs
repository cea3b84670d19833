using System.Runtime.Versioning;

namespace FedServerless.Client.State;

/// <summary>
/// Everything a client keeps: its identity, the models it may need again, and the work it has not finished. Held by one process
/// at a time, readable by its user alone.
/// </summary>
internal sealed class StateFolder : IDisposable
{
    /// <summary>Ends the name of a file that is being written.</summary>
    public const string TemporarySuffix = ".tmp";

    private readonly FileStream _lock;

    private StateFolder(string path, FileStream held)
    {
        Path = path;
        _lock = held;
    }

    public string Path { get; }

    public string Models => Folder("models");

    public string Rounds => Folder("rounds");

    /// <summary>Vectors that wait for the server's word on an update.</summary>
    public string Settling => Folder("settling");

    /// <summary>Takes the folder for this process.</summary>
    /// <exception cref="FedClientException">Another process holds it, or it cannot be used.</exception>
    public static StateFolder Open(string path)
    {
        var full = System.IO.Path.GetFullPath(path);
        try
        {
            CreateFolder(full);
            var held = new FileStream(System.IO.Path.Combine(full, "lock"), Private(FileMode.OpenOrCreate, FileShare.None));
            return new StateFolder(full, held);
        }
        catch (IOException problem) when (IsSharing(problem))
        {
            throw new FedClientException(
                $"The state folder '{full}' is in use by another client. Stop that one, or give this one a folder of its own.", problem);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new FedClientException($"The state folder '{full}' cannot be used: {problem.Message}", problem);
        }
    }

    public string File(string name) => System.IO.Path.Combine(Path, name);

    /// <summary>Puts <paramref name="content"/> at <paramref name="path"/> whole or not at all, owner-only.</summary>
    public static void WriteWhole(string path, ReadOnlySpan<byte> content)
    {
        var temporary = path + TemporarySuffix;
        using (var file = new FileStream(temporary, Private(FileMode.Create, FileShare.None)))
        {
            file.Write(content);
            file.Flush(flushToDisk: true);
        }

        System.IO.File.Move(temporary, path, overwrite: true);
    }

    /// <summary>Makes the names in a folder durable.</summary>
    public static void FlushFolder(string path) => FolderFlush.Run(path);

    /// <summary>Options of a file that only this user may read.</summary>
    public static FileStreamOptions Private(FileMode mode, FileShare share)
    {
        var options = new FileStreamOptions { Mode = mode, Access = FileAccess.ReadWrite, Share = share };
        if (!OperatingSystem.IsWindows())
        {
            // The mode of an existing file stays as it is; ReadPrivate looks at what must not be open to others.
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        return options;
    }

    /// <summary>Reads a file that must be this user's alone; null where there is none.</summary>
    /// <exception cref="FedClientException">Other users may read it.</exception>
    public static byte[]? ReadPrivate(string path)
    {
        if (!System.IO.File.Exists(path))
        {
            return null;
        }

        if (!OperatingSystem.IsWindows())
        {
            CheckMode(path);
        }

        return System.IO.File.ReadAllBytes(path);
    }

    public static void CreateFolder(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(path);
        }
        else
        {
            Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    public void Dispose() => _lock.Dispose();

    [UnsupportedOSPlatform("windows")]
    private static void CheckMode(string path)
    {
        const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;
        if ((System.IO.File.GetUnixFileMode(path) & Others) != 0)
        {
            throw new FedClientException(
                $"'{path}' holds this device's private key and other users may read it. If nobody else has, run: chmod 600 '{path}'. "
                + "Otherwise delete it and enrol again with a new code.");
        }
    }

    private static bool IsSharing(IOException problem)
    {
        // ERROR_SHARING_VIOLATION on Windows; EWOULDBLOCK from flock elsewhere (11 on Linux, 35 on macOS).
        const int WindowsSharing = unchecked((int)0x80070020);
        return problem.HResult is WindowsSharing or 11 or 35;
    }

    private string Folder(string name)
    {
        var path = File(name);
        CreateFolder(path);
        return path;
    }
}
