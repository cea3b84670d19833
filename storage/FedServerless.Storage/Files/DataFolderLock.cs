using System.Diagnostics;

namespace FedServerless.Storage.Files;

/// <summary>
/// Keeps a data folder to one process. The operating system holds the lock on an open file, so it goes with the process
/// however that ends; nothing stale is ever left to clean up.
/// </summary>
public sealed class DataFolderLock : IDisposable
{
    private const string LockFile = "host.lock";
    private const string OwnerFile = "host.pid";

    private readonly FileStream _held;

    private DataFolderLock(FileStream held) => _held = held;

    /// <summary>Takes the lock, creating the folder if need be.</summary>
    /// <exception cref="DataFolderInUseException">Another process, which the message names, holds it.</exception>
    public static DataFolderLock Acquire(string folder)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(folder);
        folder = Path.GetFullPath(folder);
        Directory.CreateDirectory(folder);
        FileStream held;
        try
        {
            // flock on Unix, a share mode on Windows; both refuse a second holder, in this process or another.
            held = new FileStream(Path.Combine(folder, LockFile), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
        }
        catch (IOException e) when (IsHeld(e))
        {
            throw new DataFolderInUseException(folder, ReadOwner(folder), e);
        }

        var owner = new DataFolderLock(held);
        try
        {
            // In a file of its own: on Windows nobody can read a file that is locked. Only for the message; it may be stale.
            File.WriteAllText(Path.Combine(folder, OwnerFile), $"{Environment.ProcessId}\n");
        }
        catch
        {
            owner.Dispose();
            throw;
        }

        return owner;
    }

    /// <inheritdoc/>
    public void Dispose() => _held.Dispose();

    // ERROR_SHARING_VIOLATION on Windows; EWOULDBLOCK of flock elsewhere: 11 on Linux, 35 on macOS. Anything else is a folder that
    // cannot be used, not one in use.
    private static bool IsHeld(IOException exception) => exception.HResult is unchecked((int)0x80070020) or 11 or 35;

    private static string ReadOwner(string folder)
    {
        try
        {
            var pid = File.ReadAllText(Path.Combine(folder, OwnerFile)).Trim();
            return int.TryParse(pid, out var id) ? Describe(id) : "an unknown process";
        }
        catch (IOException)
        {
            return "an unknown process";
        }
    }

    private static string Describe(int id)
    {
        try
        {
            using var process = Process.GetProcessById(id);
            return $"process {id} ({process.ProcessName})";
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException)
        {
            return $"process {id} (not visible from here)";
        }
    }
}
