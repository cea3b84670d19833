using System.Runtime.InteropServices;

namespace FedServerless.Client.State;

/// <summary>Makes a folder's entries survive a power cut: without it a rename that was followed by a message may be undone.</summary>
internal static partial class FolderFlush
{
    /// <summary>Flushes what it can: Windows journals its folders itself, and a file system that has no such call does without.</summary>
    public static void Run(string folder)
    {
        if (OperatingSystem.IsWindows() || OperatingSystem.IsBrowser())
        {
            return;
        }

        // O_RDONLY is 0 everywhere; .NET opens no folders.
        var descriptor = Open(folder, 0);
        if (descriptor >= 0)
        {
            _ = Fsync(descriptor);
            _ = Close(descriptor);
        }
    }

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync")]
    private static partial int Fsync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}
