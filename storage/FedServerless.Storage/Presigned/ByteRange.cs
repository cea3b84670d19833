using System.Globalization;

namespace FedServerless.Storage.Presigned;

/// <summary>A single range of RFC 9110 §14, resolved against an object's length.</summary>
/// <param name="Offset">The first byte.</param>
/// <param name="Count">How many bytes; at least one.</param>
internal readonly record struct ByteRange(long Offset, long Count)
{
    private const string Unit = "bytes=";

    /// <summary>
    /// Resolves a <c>Range</c> header. Null with <paramref name="satisfiable"/> true means "send the whole": no header, or one
    /// that RFC 9110 allows a server to ignore (another unit, several ranges, bad syntax).
    /// </summary>
    internal static ByteRange? Resolve(string? header, long length, out bool satisfiable)
    {
        satisfiable = true;
        if (header is null || !header.StartsWith(Unit, StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }

        var text = header.AsSpan(Unit.Length).Trim();
        var dash = text.IndexOf('-');
        if (dash < 0)
        {
            return null;
        }

        var first = Number(text[..dash]);
        var last = Number(text[(dash + 1)..]);
        var openEnd = dash == text.Length - 1;
        var (offset, end) = (first, last, openEnd) switch
        {
            ({ } from, { } to, _) when to >= from => (from, Math.Min(to, length - 1)),
            ({ } from, null, true) => (from, length - 1),
            (null, { } suffix, _) when dash == 0 => (Math.Max(0, length - suffix), suffix == 0 ? -1 : length - 1),
            _ => (-1, -1),
        };
        if (offset < 0)
        {
            return null;
        }

        satisfiable = offset <= end;
        return satisfiable ? new ByteRange(offset, end - offset + 1) : null;
    }

    private static long? Number(ReadOnlySpan<char> digits) =>
        long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : null;
}
