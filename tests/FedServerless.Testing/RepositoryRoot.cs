namespace FedServerless.Testing;

/// <summary>Finds the checkout that the running tests were built from.</summary>
public static class RepositoryRoot
{
    /// <summary>The folder of FedServerless.sln.</summary>
    public static string Path { get; } = Find();

    /// <summary>The full path of something in the checkout.</summary>
    public static string Combine(params ReadOnlySpan<string> parts) => System.IO.Path.Combine([Path, .. parts]);

    private static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(System.IO.Path.Combine(folder.FullName, "FedServerless.sln")))
            {
                return folder.FullName;
            }
        }

        throw new InvalidOperationException($"No FedServerless.sln above {AppContext.BaseDirectory}.");
    }
}
