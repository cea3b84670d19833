using System.Collections.Concurrent;

namespace FedServerless.Storage.Files;

/// <summary>
/// Knows which folders are sure to survive a power cut, so that a put flushes one folder and not the whole path.
/// At every moment a folder in the set exists and its entry in its parent is on disk: it enters after the parent was flushed
/// and leaves before it is removed, both under one lock.
/// </summary>
internal sealed class DurableFolders(string root, bool flush)
{
    private readonly ConcurrentDictionary<string, byte> _durable = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();

    /// <summary>Makes a name in <paramref name="folder"/> durable, and the folder itself. The folder cannot go meanwhile: the name is in it.</summary>
    internal void Flush(string folder)
    {
        if (!flush)
        {
            return;
        }

        FileCalls.FlushFolder(folder);
        if (folder == root || _durable.ContainsKey(folder))
        {
            return;
        }

        lock (_gate)
        {
            for (var child = folder; child != root && !_durable.ContainsKey(child); child = Path.GetDirectoryName(child)!)
            {
                FileCalls.FlushFolder(Path.GetDirectoryName(child)!);
            }

            for (var child = folder; child != root && _durable.TryAdd(child, 0); child = Path.GetDirectoryName(child)!)
            {
            }
        }
    }

    /// <summary>Makes a removal from <paramref name="folder"/> durable and removes the folders that it left empty.</summary>
    internal void FlushRemoval(string folder)
    {
        lock (_gate)
        {
            while (folder != root && TryRemove(folder))
            {
                folder = Path.GetDirectoryName(folder)!;
            }

            if (flush && Directory.Exists(folder))
            {
                FileCalls.FlushFolder(folder);
            }
        }
    }

    private bool TryRemove(string folder)
    {
        var wasDurable = _durable.TryRemove(folder, out _);
        try
        {
            if (!Directory.EnumerateFileSystemEntries(folder).Any())
            {
                Directory.Delete(folder, recursive: false);
                return true;
            }
        }
        catch (DirectoryNotFoundException)
        {
            return true;
        }
        catch (IOException)
        {
            // Somebody put an object there between the look and the removal, which removes only what is empty.
        }

        if (wasDurable)
        {
            _durable.TryAdd(folder, 0);
        }

        return false;
    }
}
