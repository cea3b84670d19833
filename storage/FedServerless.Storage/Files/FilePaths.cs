using System.Text;

namespace FedServerless.Storage.Files;

/// <summary>
/// Object names as paths, one to one on every file system. A folder's name ends in <c>+</c>, so objects <c>a</c> and
/// <c>a/b</c> live side by side; a capital is written <c>+</c> and its small letter, so <c>A</c> and <c>a</c> stay two objects
/// where the file system ignores case; a file that Windows would take for a device starts with <c>+-</c>.
/// </summary>
internal sealed class FilePaths(string root)
{
    private const char Mark = '+';

    private static readonly HashSet<string> Devices = new(
        ["con", "prn", "aux", "nul", .. Enumerable.Range(0, 10).SelectMany(i => new[] { $"com{i}", $"lpt{i}" })],
        StringComparer.OrdinalIgnoreCase);

    internal string Root { get; } = root;

    /// <summary>The file of an object.</summary>
    internal string ToFile(string name)
    {
        var path = new StringBuilder(Root, Root.Length + name.Length + 16);
        var segments = name.Split('/');
        for (var i = 0; i < segments.Length; i++)
        {
            path.Append(Path.DirectorySeparatorChar);
            Encode(segments[i], folder: i < segments.Length - 1, path);
        }

        return path.ToString();
    }

    /// <summary>The folder of every object whose name starts with <paramref name="prefix"/>, which is empty or ends in '/'.</summary>
    internal string ToFolder(string prefix) => prefix.Length == 0 ? Root : Path.GetDirectoryName(ToFile(prefix + '0'))!;

    /// <summary>The segment that an entry of a folder stands for; null for what this store did not write.</summary>
    internal static string? Decode(string entry, bool folder)
    {
        if (folder != entry.EndsWith(Mark))
        {
            return null;
        }

        var text = folder ? entry.AsSpan(0, entry.Length - 1) : entry.AsSpan();
        text = text.StartsWith("+-") ? text[2..] : text;
        var segment = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            segment.Append(text[i] == Mark && i + 1 < text.Length ? char.ToUpperInvariant(text[++i]) : text[i]);
        }

        // Only what encodes to itself is ours: strangers in the folder are no objects.
        var decoded = segment.ToString();
        return ObjectName.IsValid(decoded) && Encode(decoded, folder, new StringBuilder()).ToString() == entry ? decoded : null;
    }

    private static StringBuilder Encode(string segment, bool folder, StringBuilder path)
    {
        if (!folder && Devices.Contains(segment.Split('.')[0]))
        {
            path.Append("+-");
        }

        foreach (var c in segment)
        {
            if (char.IsAsciiLetterUpper(c))
            {
                path.Append(Mark).Append(char.ToLowerInvariant(c));
            }
            else
            {
                path.Append(c);
            }
        }

        return folder ? path.Append(Mark) : path;
    }
}
