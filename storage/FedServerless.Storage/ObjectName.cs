namespace FedServerless.Storage;

/// <summary>The grammar of object names.</summary>
public static class ObjectName
{
    /// <summary>Longest name in characters.</summary>
    public const int MaxLength = 512;

    private static readonly System.Buffers.SearchValues<char> Legal =
        System.Buffers.SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~/");

    /// <summary>
    /// True for 1 to <see cref="MaxLength"/> legal characters in non-empty segments none of which starts with a dot:
    /// no traversal, no hidden or temporary file, no encoding surprise in a URL.
    /// </summary>
    public static bool IsValid(string? name)
    {
        if (name is not { Length: > 0 and <= MaxLength } || name.AsSpan().ContainsAnyExcept(Legal))
        {
            return false;
        }

        foreach (var segment in name.AsSpan().Split('/'))
        {
            if (name.AsSpan()[segment] is { Length: 0 } or ['.', ..])
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Throws for an illegal name.</summary>
    /// <exception cref="ArgumentException">The name is not legal.</exception>
    public static void ThrowIfInvalid(string? name)
    {
        if (!IsValid(name))
        {
            throw new ArgumentException($"'{name}' is not an object name: 1 to {MaxLength} of A-Z a-z 0-9 - _ . ~ / in non-empty segments that do not start with a dot.", nameof(name));
        }
    }
}
