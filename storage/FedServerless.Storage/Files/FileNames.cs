namespace FedServerless.Storage.Files;

/// <summary>Walks a store's folders in the order of the objects' names.</summary>
internal static class FileNames
{
    /// <summary>The names that start with a prefix, in ordinal order, as the folders show them while they are walked.</summary>
    public static IEnumerable<string> Under(FilePaths paths, string prefix)
    {
        var cut = prefix.LastIndexOf('/') + 1;
        var pending = new Stack<Entry>();
        PushChildren(paths, prefix[..cut], prefix, pending);
        while (pending.TryPop(out var entry))
        {
            if (entry.IsFolder)
            {
                PushChildren(paths, entry.Name, prefix: "", pending);
            }
            else
            {
                yield return entry.Name;
            }
        }
    }

    private static void PushChildren(FilePaths paths, string folderName, string prefix, Stack<Entry> pending)
    {
        var children = new List<Entry>();
        try
        {
            foreach (var info in new DirectoryInfo(paths.ToFolder(folderName)).EnumerateFileSystemInfos())
            {
                var isFolder = info is DirectoryInfo;
                if (FilePaths.Decode(info.Name, isFolder) is { } segment)
                {
                    var name = folderName + segment + (isFolder ? "/" : "");
                    if (name.StartsWith(prefix, StringComparison.Ordinal))
                    {
                        children.Add(new Entry(name, isFolder));
                    }
                }
            }
        }
        catch (DirectoryNotFoundException)
        {
            return;
        }

        // With its slash, a folder sorts among its siblings exactly where its objects do. Last first: it is a stack.
        children.Sort((a, b) => string.CompareOrdinal(b.Name, a.Name));
        foreach (var child in children)
        {
            pending.Push(child);
        }
    }

    private readonly record struct Entry(string Name, bool IsFolder);
}
