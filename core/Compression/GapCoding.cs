using System.Buffers.Binary;
using System.Diagnostics;
using System.Numerics;

namespace FedServerless.Compression;

/// <summary>
/// Ascending indices as Golomb–Rice coded gaps (Rice and Plaunt 1971): of the zeros between two indices the lower <c>r</c> bits are
/// stored as they are, all of them together, and the rest, one after the other, in unary. For random indices this takes within three
/// hundredths of a bit an index of what is possible at one in a hundred.
/// </summary>
/// <remarks>
/// The lower bits come first: <c>⌈k·r/8⌉</c> bytes, the first gap's in the lowest bits. Then, for each gap, its quotient as so many
/// zeros and a one, from the lowest bit of each byte. What is left of a last byte is zero, so that one list has one encoding for each r.
/// Indices that repeat, run backwards or overlap cannot be written at all.
/// </remarks>
internal static class GapCoding
{
    /// <summary>Largest r: gaps are shorter than 2¹⁶.</summary>
    public const int MaxRice = 16;

    /// <summary>Most bytes that indices below <paramref name="coordinates"/> take when r is chosen well: with r = 0 they are a bitmap.</summary>
    public static int MaxLength(int coordinates) => (coordinates + 7) / 8;

    /// <summary>The r for which indices of this density are shortest in expectation.</summary>
    /// <param name="share">Indices per coordinate, above 0.</param>
    public static int RiceOf(double share)
    {
        // The median gap: the quotient is then 0 half of the time. ln 2 / share, rounded down to a power of two.
        var rice = 0;
        for (var median = 0.6931471805599453 / share; median >= 2 && rice < MaxRice; median /= 2)
        {
            rice++;
        }

        return rice;
    }

    /// <summary>The best of a few r for these indices, and the bytes they then take.</summary>
    /// <param name="indices">Ascending, 1 or more.</param>
    /// <param name="coordinates">Above the last of them.</param>
    /// <param name="usual">An r to try in any case.</param>
    public static (int Rice, int Length) Choose(ReadOnlySpan<int> indices, int coordinates, int usual)
    {
        var near = RiceOf((double)indices.Length / coordinates);
        var best = (Rice: 0, Length: int.MaxValue);
        foreach (var rice in (ReadOnlySpan<int>)[0, usual, near - 1, near, near + 1])
        {
            if (rice is >= 0 and <= MaxRice && Length(indices, rice) is var length && (length, rice).CompareTo((best.Length, best.Rice)) < 0)
            {
                best = (rice, length);
            }
        }

        return best;
    }

    /// <summary>Bytes of the indices for one r.</summary>
    public static int Length(ReadOnlySpan<int> indices, int rice)
    {
        var (unary, next) = ((long)indices.Length, 0);
        foreach (var index in indices)
        {
            unary += (index - next) >> rice;
            next = index + 1;
        }

        return LowLength(indices.Length, rice) + (int)((unary + 7) / 8);
    }

    /// <summary>Writes the indices; <paramref name="destination"/> is exactly as long as <see cref="Length"/> says.</summary>
    public static void Write(ReadOnlySpan<int> indices, int rice, Span<byte> destination)
    {
        var low = destination[..LowLength(indices.Length, rice)];
        var unary = destination[low.Length..];
        unary.Clear();
        var (held, bits, written) = (0UL, 0, 0);
        var (at, next) = (0, 0);
        foreach (var index in indices)
        {
            var gap = index - next;
            next = index + 1;
            held |= (ulong)(gap & ((1 << rice) - 1)) << bits;
            for (bits += rice; bits >= 8; bits -= 8, held >>= 8)
            {
                low[written++] = (byte)held;
            }

            at += gap >> rice;
            unary[at >> 3] |= (byte)(1 << (at & 7));
            at++;
        }

        if (bits > 0)
        {
            low[written] = (byte)held;
        }
    }

    /// <summary>
    /// Reads as many indices as <paramref name="indices"/> is long. False, with the indices undefined, when the bytes are not exactly
    /// such a list: too few or too many, an index beyond the coordinates, a bit set where none belongs.
    /// </summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, int rice, int coordinates, Span<int> indices)
    {
        Debug.Assert(rice is >= 0 and <= MaxRice);
        var lowLength = LowLength(indices.Length, rice);
        if (bytes.Length < lowLength || !IsClear(bytes[..lowLength], (long)indices.Length * rice))
        {
            return false;
        }

        var unary = bytes[lowLength..];
        var (word, wordAt, taken) = (Word(unary, 0), 0, 0L);
        var index = -1L;
        for (var i = 0; i < indices.Length; i++)
        {
            var quotient = -taken;
            while (word == 0)
            {
                wordAt += 64;
                if (wordAt >= 8L * unary.Length)
                {
                    return false;
                }

                word = Word(unary, wordAt / 8);
            }

            var at = wordAt + BitOperations.TrailingZeroCount(word);
            word &= word - 1;
            quotient += at;
            taken = at + 1;
            index += 1 + ((quotient << rice) | Low(bytes[..lowLength], (long)i * rice, rice));
            if (index >= coordinates)
            {
                return false;
            }

            indices[i] = (int)index;
        }

        return unary.Length == (taken + 7) / 8 && IsClear(unary, taken);
    }

    private static int LowLength(int count, int rice) => (int)((((long)count * rice) + 7) / 8);

    /// <summary>True when the bits of the last byte from <paramref name="used"/> on are zero.</summary>
    private static bool IsClear(ReadOnlySpan<byte> bytes, long used) => (used & 7) == 0 || bytes[^1] >> (int)(used & 7) == 0;

    private static ulong Word(ReadOnlySpan<byte> bytes, int at)
    {
        if (bytes.Length - at >= sizeof(ulong))
        {
            return BinaryPrimitives.ReadUInt64LittleEndian(bytes[at..]);
        }

        var word = 0UL;
        for (var i = bytes.Length - 1; i >= at; i--)
        {
            word = (word << 8) | bytes[i];
        }

        return word;
    }

    private static uint Low(ReadOnlySpan<byte> bytes, long bit, int rice)
    {
        // At most 7 + 16 bits of a word; 0 for r = 0, where there may be no byte at all.
        var at = (int)(bit >> 3);
        var word = bytes.Length - at >= sizeof(uint) ? BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]) : (uint)Word(bytes, at);
        return (word >> (int)(bit & 7)) & ((1u << rice) - 1);
    }
}
