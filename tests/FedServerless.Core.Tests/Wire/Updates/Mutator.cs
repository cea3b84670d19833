using System.Buffers.Binary;

namespace FedServerless.Core.Tests.Wire.Updates;

/// <summary>Damages seeds, the same way in every run: flips, truncations, extensions, splices, huge numbers, inserted tokens.</summary>
internal sealed class Mutator(int seed, IReadOnlyList<byte[]> seeds, IReadOnlyList<byte[]>? tokens = null)
{
    private static readonly long[] Numbers =
        [0, 1, -1, 2, 7, 255, 256, short.MaxValue, ushort.MaxValue, int.MaxValue, int.MinValue, uint.MaxValue, 1L << 32, long.MaxValue, long.MinValue, 1L << 62];

    private readonly Random _random = new(seed);

    /// <summary>An eighth undamaged but for one flip at most; the others damaged one to four times.</summary>
    public byte[] Next()
    {
        var bytes = (byte[])Pick(seeds).Clone();
        for (var times = _random.Next(5); times > 0; times--)
        {
            bytes = Damage(bytes);
        }

        return bytes;
    }

    /// <summary>A number that readers trip over.</summary>
    public long Number() => Pick(Numbers) + _random.Next(-2, 3);

    private byte[] Damage(byte[] bytes)
    {
        if (bytes.Length == 0)
        {
            return Pick(seeds)[..1];
        }

        var at = _random.Next(bytes.Length);
        switch (_random.Next(tokens is null ? 8 : 11))
        {
            case 0 or 1 or 2:
                bytes[at] ^= (byte)(1 << _random.Next(8));
                return bytes;
            case 3:
                bytes[at] = (byte)_random.Next(256);
                return bytes;
            case 4:
                return bytes[..at];
            case 5:
                return [.. bytes, .. Pick(seeds).AsSpan(0, _random.Next(Pick(seeds).Length) % 40)];
            case 6:
                return Overwrite(bytes, at & ~3);
            case 7:
                var other = Pick(seeds);
                var cut = Math.Min(at, other.Length);
                return [.. bytes.AsSpan(0, cut), .. other.AsSpan(cut)];
            default:
                return [.. bytes.AsSpan(0, at), .. Pick(tokens!), .. bytes.AsSpan(Math.Min(bytes.Length, at + _random.Next(4)))];
        }
    }

    private byte[] Overwrite(byte[] bytes, int at)
    {
        Span<byte> number = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(number, Number());
        number[..Math.Min(1 << _random.Next(4), bytes.Length - at)].CopyTo(bytes.AsSpan(at));
        return bytes;
    }

    private T Pick<T>(IReadOnlyList<T> from) => from[_random.Next(from.Count)];
}
