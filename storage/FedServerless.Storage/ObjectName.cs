namespace FedServerless.Storage;

/// <summary>The grammar of object names.</summary>
public static class ObjectName
{
    /// <summary>Longest name in characters.</summary>
    public const int MaxLength = 512;

    /// <summary>Longest segment in characters, so that any segment fits a file name of 255 bytes however it is escaped.</summary>
    public const int MaxSegmentLength = 120;

    private static readonly System.Buffers.SearchValues<char> Legal =
        System.Buffers.SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~/");

    /// <summary>
    /// True for 1 to <see cref="MaxLength"/> legal characters in segments of 1 to <see cref="MaxSegmentLength"/>, none of which
    /// starts or ends with a dot: no traversal, no hidden or temporary file, no encoding surprise in a URL, no trailing dot
    /// for a backend to drop.
    /// </summary>
    public static bool IsValid(string? name)
    {
        if (name is not { Length: > 0 and <= MaxLength } || name.AsSpan().ContainsAnyExcept(Legal))
        {
            return false;
        }

        foreach (var segment in name.AsSpan().Split('/'))
        {
            if (name.AsSpan()[segment] is { Length: 0 or > MaxSegmentLength } or ['.', ..] or [.., '.'])
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>True for the empty string and for every string that can be completed to a legal name.</summary>
    public static bool IsValidPrefix(string? prefix) => prefix is "" || (prefix is not null && (IsValid(prefix) || IsValid(prefix + '0')));

    /// <summary>Throws for an illegal name.</summary>
    /// <exception cref="ArgumentException">The name is not legal.</exception>
    public static void ThrowIfInvalid(string? name)
    {
        if (!IsValid(name))
        {
            throw new ArgumentException($"'{name}' is not an object name: 1 to {MaxLength} of A-Z a-z 0-9 - _ . ~ / in segments of 1 to {MaxSegmentLength} that neither start nor end with a dot.", nameof(name));
        }
    }

    /// <summary>Throws for a prefix that no legal name can have.</summary>
    /// <exception cref="ArgumentException">The prefix is not legal.</exception>
    public static void ThrowIfInvalidPrefix(string? prefix)
    {
        if (!IsValidPrefix(prefix))
        {
            throw new ArgumentException($"'{prefix}' is not the beginning of an object name.", nameof(prefix));
        }
    }
}
