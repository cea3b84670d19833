using System.Buffers.Binary;
using System.Diagnostics;
using System.Numerics;
using System.Security.Cryptography;
using System.Text;

namespace FedServerless.Numerics;

/// <summary>
/// Reproducible chance: the same seed gives the same values on every machine, runtime and version, for ever. The algorithms
/// are part of the contract and pinned by published vectors. Not for keys, nonces or privacy noise: its output is predictable.
/// </summary>
/// <remarks>
/// <para>Generator: xoshiro256** 1.0 (Blackman and Vigna 2018, arXiv:1805.01407). A 64-bit seed becomes the 256-bit state by
/// four steps of SplitMix64, as its authors recommend; a derived stream takes its state straight from SHA-256.</para>
/// <para>Only integer arithmetic and the correctly rounded operations of IEEE 754 (+ − × ÷ √) are used, never the platform's
/// logarithm or sine, whose last bit differs between C libraries.</para>
/// <para>Not safe for use by several threads at once.</para>
/// </remarks>
public sealed class DeterministicRandom
{
    private const int ShortText = 512;
    private const double TwoToMinus52 = 1.0 / (1L << 52);
    private const double TwoToMinus53 = 1.0 / (1L << 53);

    private ulong _s0;
    private ulong _s1;
    private ulong _s2;
    private ulong _s3;

    private static ReadOnlySpan<byte> Label => "fed-random-1"u8;

    /// <summary>A stream for <paramref name="seed"/>; any value is good, neighbours are unrelated.</summary>
    public DeterministicRandom(long seed)
    {
        var state = unchecked((ulong)seed);
        _s0 = SplitMix64(ref state);
        _s1 = SplitMix64(ref state);
        _s2 = SplitMix64(ref state);
        _s3 = SplitMix64(ref state);
    }

    internal DeterministicRandom(ulong s0, ulong s1, ulong s2, ulong s3)
    {
        Debug.Assert((s0 | s1 | s2 | s3) != 0, "The all-zero state of xoshiro256** is a fixed point.");
        (_s0, _s1, _s2, _s3) = (s0, s1, s2, s3);
    }

    /// <summary>
    /// An independent stream for one purpose and place: (run seed, round), (run seed, epoch), … Its 256-bit state is
    /// <c>SHA-256("fed-random-1" ‖ seed ‖ |purpose| ‖ purpose ‖ |name| ‖ name ‖ |path| ‖ path…)</c>: integers little endian,
    /// 64 bits for the seed and the path, 32 bits for lengths; text in UTF-8; four little-endian words make the state.
    /// </summary>
    /// <param name="seed">The run's seed.</param>
    /// <param name="purpose">What the chance is for, a constant of the caller: <c>selection</c>.</param>
    /// <param name="path">Where it is used: a round, an epoch, an index.</param>
    public static DeterministicRandom Derive(long seed, string purpose, params ReadOnlySpan<long> path) =>
        Derive(seed, purpose, string.Empty, path);

    /// <summary>An independent stream for one purpose, named thing (a client id) and place.</summary>
    /// <param name="seed">The run's seed.</param>
    /// <param name="purpose">What the chance is for, a constant of the caller: <c>selection</c>.</param>
    /// <param name="name">Whose chance it is: a client's id. Empty is the same as none.</param>
    /// <param name="path">Where it is used: a round, an epoch, an index.</param>
    public static DeterministicRandom Derive(long seed, string purpose, string name, params ReadOnlySpan<long> path)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        Hash(seed, purpose, name, path, hash);
        return new DeterministicRandom(
            BinaryPrimitives.ReadUInt64LittleEndian(hash),
            BinaryPrimitives.ReadUInt64LittleEndian(hash[8..]),
            BinaryPrimitives.ReadUInt64LittleEndian(hash[16..]),
            BinaryPrimitives.ReadUInt64LittleEndian(hash[24..]));
    }

    /// <summary>A seed for one purpose and place, for chance that travels on the wire: the first word of the same hash.</summary>
    /// <param name="seed">The run's seed.</param>
    /// <param name="purpose">What the chance is for, a constant of the caller.</param>
    /// <param name="path">Where it is used: a round, an epoch, an index.</param>
    public static long DeriveSeed(long seed, string purpose, params ReadOnlySpan<long> path) =>
        DeriveSeed(seed, purpose, string.Empty, path);

    /// <summary>A seed for one purpose, named thing (a client id) and place: the first word of the same hash.</summary>
    /// <param name="seed">The run's seed.</param>
    /// <param name="purpose">What the chance is for, a constant of the caller.</param>
    /// <param name="name">Whose chance it is: a client's id. Empty is the same as none.</param>
    /// <param name="path">Where it is used: a round, an epoch, an index.</param>
    public static long DeriveSeed(long seed, string purpose, string name, params ReadOnlySpan<long> path)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        Hash(seed, purpose, name, path, hash);
        return BinaryPrimitives.ReadInt64LittleEndian(hash);
    }

    /// <summary>64 uniform bits.</summary>
    public ulong NextUInt64()
    {
        var result = BitOperations.RotateLeft(_s1 * 5, 7) * 9;
        var t = _s1 << 17;
        _s2 ^= _s0;
        _s3 ^= _s1;
        _s1 ^= _s2;
        _s0 ^= _s3;
        _s2 ^= t;
        _s3 = BitOperations.RotateLeft(_s3, 45);
        return result;
    }

    /// <summary>A uniform multiple of 2⁻⁵³ in [0, 1): the upper 53 bits of one draw.</summary>
    public double NextDouble() => (NextUInt64() >> 11) * TwoToMinus53;

    /// <summary>
    /// An unbiased integer in [0, <paramref name="bound"/>): Lemire's multiplication with rejection (arXiv:1805.10941,
    /// algorithm 5) on the upper 32 bits of each draw.
    /// </summary>
    /// <param name="bound">1 or more.</param>
    public int NextInt(int bound)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bound, 1);
        var range = (uint)bound;
        var product = (NextUInt64() >> 32) * range;
        if ((uint)product < range)
        {
            // 2³² mod range products per result are surplus; refusing them makes every result equally likely.
            var surplus = (uint)-bound % range;
            while ((uint)product < surplus)
            {
                product = (NextUInt64() >> 32) * range;
            }
        }

        return (int)(product >> 32);
    }

    /// <summary>
    /// A standard normal value: the inverse distribution function at the centre of one of 2⁵² equal cells, one draw each.
    /// Wichura 1988, algorithm AS 241 (PPND16), relative error about 10⁻¹⁶.
    /// </summary>
    public double NextGaussian() => NormalQuantile.Of(((NextUInt64() >> 12) + 0.5) * TwoToMinus52);

    /// <summary>A uniform permutation in place: Fisher and Yates from the last element down, <c>j = NextInt(i + 1)</c>.</summary>
    public void Shuffle<T>(Span<T> values)
    {
        for (var i = values.Length - 1; i > 0; i--)
        {
            var j = NextInt(i + 1);
            (values[i], values[j]) = (values[j], values[i]);
        }
    }

    /// <summary>One step of SplitMix64 (Steele, Lea and Flood 2014).</summary>
    internal static ulong SplitMix64(ref ulong state)
    {
        var z = state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    private static void Hash(long seed, string purpose, string name, ReadOnlySpan<long> path, Span<byte> destination)
    {
        ArgumentNullException.ThrowIfNull(purpose);
        ArgumentNullException.ThrowIfNull(name);
        var length = Label.Length + sizeof(long) + (3 * sizeof(int)) + Encoding.UTF8.GetByteCount(purpose) + Encoding.UTF8.GetByteCount(name)
            + (sizeof(long) * path.Length);
        var text = length <= ShortText ? stackalloc byte[length] : new byte[length];
        var rest = text;
        Label.CopyTo(rest);
        rest = rest[Label.Length..];
        AppendInt64(ref rest, seed);
        AppendText(ref rest, purpose);
        AppendText(ref rest, name);
        AppendInt32(ref rest, path.Length);
        foreach (var step in path)
        {
            AppendInt64(ref rest, step);
        }

        SHA256.HashData(text, destination);
    }

    private static void AppendText(ref Span<byte> rest, string text)
    {
        var length = Encoding.UTF8.GetBytes(text, rest[sizeof(int)..]);
        AppendInt32(ref rest, length);
        rest = rest[length..];
    }

    private static void AppendInt32(ref Span<byte> rest, int value)
    {
        BinaryPrimitives.WriteInt32LittleEndian(rest, value);
        rest = rest[sizeof(int)..];
    }

    private static void AppendInt64(ref Span<byte> rest, long value)
    {
        BinaryPrimitives.WriteInt64LittleEndian(rest, value);
        rest = rest[sizeof(long)..];
    }
}
