using System.Security.Cryptography;
using System.Text;

namespace FedServerless.Cli.Feed;

/// <summary>
/// Remembers, in <c>.fed/feed</c>, what the configured sources were found not to have. An answer counts for the probe, the package
/// versions and the sources it was given for; when one of them changes, the feed is asked again.
/// </summary>
internal sealed class FeedMemory(string repository, string sources)
{
    public const string Folder = ".fed/feed";

    /// <summary>What was missing, or null if that is not known.</summary>
    public string? Recall(string part)
    {
        try
        {
            return File.ReadAllText(PathOf(part)).Trim() is { Length: > 0 } missing ? missing : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Remembers what was missing. A memory that cannot be written is no problem: the next run asks again.</summary>
    public void Remember(string part, string missing)
    {
        var path = PathOf(part);
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            var next = $"{path}.{Environment.ProcessId}";
            File.WriteAllText(next, missing + "\n");
            File.Move(next, path, overwrite: true);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
        }
    }

    // Addresses of sources can hold credentials, so only their digest is kept.
    private string PathOf(string part)
    {
        var asked = new StringBuilder().Append(sources);
        foreach (var file in new[] { FeedProbe.ProjectOf(part), "Directory.Packages.props" })
        {
            asked.Append('\0').Append(File.ReadAllText(Path.Combine(repository, file)));
        }

        var digest = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(asked.ToString())))[..16];
        return Path.Combine(repository, Folder, $"{part}-{digest}.missing");
    }
}
