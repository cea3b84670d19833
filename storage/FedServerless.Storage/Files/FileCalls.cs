using System.Runtime.InteropServices;

namespace FedServerless.Storage.Files;

/// <summary>The few file operations whose atomicity or durability .NET does not expose.</summary>
internal static partial class FileCalls
{
    private const int FileExists = 17;       // EEXIST, the same on Linux and macOS
    private const int NotFound = 2;          // ENOENT, and ERROR_FILE_NOT_FOUND
    private const int PathNotFound = 3;      // ERROR_PATH_NOT_FOUND
    private const int AlreadyExists = 183;   // ERROR_ALREADY_EXISTS
    private const int WindowsFileExists = 80; // ERROR_FILE_EXISTS
    private const int ReplaceExisting = 1;   // MOVEFILE_REPLACE_EXISTING
    private const int WriteThrough = 8;      // MOVEFILE_WRITE_THROUGH

    // EPERM, EMLINK, EOPNOTSUPP (Linux 95, macOS 102), ENOTSUP (macOS 45), ENOSYS (38, 78): a file system without hard links.
    private static readonly int[] NoHardLinks = [1, 31, 45, 95, 102, 38, 78];

    /// <summary>What <see cref="TryPublish"/> did.</summary>
    internal enum Publication
    {
        Done,
        TargetExists,
        FolderMissing,
    }

    /// <summary>
    /// Gives a finished file its name unless the name is taken, atomically: <c>link(2)</c> (which, unlike <c>rename(2)</c> and
    /// <c>File.Move</c>, never replaces), or <c>MoveFileEx</c> without the replace flag. Where a file system has no hard links
    /// it checks and renames, which is race-free only under the caller's lock on the name.
    /// </summary>
    internal static Publication TryPublish(string finished, string target)
    {
        if (OperatingSystem.IsWindows())
        {
            return MoveFileEx(finished, target, WriteThrough) ? Publication.Done : Classify(Marshal.GetLastPInvokeError(), target);
        }

        if (Link(finished, target) == 0)
        {
            return Publication.Done;
        }

        var error = Marshal.GetLastPInvokeError();
        return NoHardLinks.Contains(error) ? CheckAndMove(finished, target) : Classify(error, target);
    }

    /// <summary>Gives a finished file its name, atomically replacing what has it.</summary>
    internal static void Replace(string finished, string target)
    {
        if (!OperatingSystem.IsWindows())
        {
            File.Move(finished, target, overwrite: true); // rename(2)
        }
        else if (!MoveFileEx(finished, target, ReplaceExisting | WriteThrough))
        {
            var error = Marshal.GetLastPInvokeError();
            throw error is PathNotFound or NotFound ? new DirectoryNotFoundException(target) : Failure(error, target);
        }
    }

    /// <summary>Makes the entries of a folder durable. Windows journals them itself.</summary>
    internal static void FlushFolder(string folder)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        // O_RDONLY is 0 everywhere; .NET opens no folders.
        var descriptor = Open(folder, 0);
        if (descriptor < 0)
        {
            throw Failure(Marshal.GetLastPInvokeError(), folder);
        }

        var flushed = Fsync(descriptor);
        var error = Marshal.GetLastPInvokeError();
        _ = Close(descriptor);
        if (flushed != 0)
        {
            throw Failure(error, folder);
        }
    }

    private static Publication CheckAndMove(string finished, string target)
    {
        if (File.Exists(target))
        {
            return Publication.TargetExists;
        }

        File.Move(finished, target, overwrite: false);
        return Publication.Done;
    }

    private static Publication Classify(int error, string target) => error switch
    {
        FileExists or AlreadyExists or WindowsFileExists => Publication.TargetExists,
        NotFound or PathNotFound => Publication.FolderMissing,
        _ => throw Failure(error, target),
    };

    private static IOException Failure(int error, string path) => new(
        $"{Marshal.GetPInvokeErrorMessage(error)} ({error}): '{path}'",
        OperatingSystem.IsWindows() ? unchecked((int)0x80070000) | error : error);

    [LibraryImport("libc", EntryPoint = "link", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Link(string existing, string created);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Fsync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int descriptor);

    [LibraryImport("kernel32", EntryPoint = "MoveFileExW", SetLastError = true, StringMarshalling = StringMarshalling.Utf16)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool MoveFileEx(string existing, string created, int flags);
}
