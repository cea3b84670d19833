namespace FedServerless.Storage.Files;

/// <summary>Another host has the data folder. One host per folder: two would each undo the other's locks.</summary>
public sealed class DataFolderInUseException(string folder, string owner, Exception inner)
    : IOException($"'{folder}' is in use by {owner}. One host per data folder: stop that one, or give this one another folder.", inner)
{
    /// <summary>The folder.</summary>
    public string Folder { get; } = folder;
}
