using System.Diagnostics;
using System.Numerics;

namespace FedServerless.Privacy;

/// <summary>
/// A coin that shows heads with probability exactly <c>e^−γ</c>, γ rational: heads if a uniform real U lies below e^−γ. Sixty-four bits of U and an
/// approximation of e^−γ in integers decide unless the two are too close; then U is extended and e^−γ bracketed by integer arithmetic until they differ.
/// The result is that of the exact comparison, always.
/// </summary>
internal static class ExponentialCoin
{
    /// <summary>How far, in units of 2⁻⁶⁴, the approximation may be off; the true error is below 2²² (see <see cref="Toss"/>).</summary>
    public const ulong Band = 1UL << 24;

    private const int Whole = 48;
    private static readonly ulong[] PerWhole = [.. Enumerable.Range(0, Whole).Select(n => Scaled(n, 1))];
    private static readonly ulong[] Per256th = [.. Enumerable.Range(0, 256).Select(n => Scaled(n, 256))];
    private static readonly ulong[] Per65536th = [.. Enumerable.Range(0, 256).Select(n => Scaled(n, 65536))];

    /// <summary>Tosses, or finds the toss too close to call and returns false with the bits that were drawn.</summary>
    /// <param name="bits">Chance.</param>
    /// <param name="exponent">γ within 2⁻⁴³, or above 44 if γ is above 45.</param>
    /// <param name="band">Half the width, in units of 2⁻⁶⁴, in which nothing is decided.</param>
    /// <param name="heads">The outcome, if decided.</param>
    /// <param name="word">The first 64 bits of U.</param>
    public static bool Toss(EntropyBits bits, double exponent, ulong band, out bool heads, out ulong word)
    {
        Debug.Assert(exponent >= 0);
        word = bits.NextWord();
        var threshold = Approximate(exponent);
        heads = word < threshold;
        return (heads ? threshold - word : word - threshold) > band;
    }

    /// <summary>The same decision by integers alone, continuing from the first 64 bits of U.</summary>
    public static bool Settle(EntropyBits bits, ulong word, BigInteger numerator, BigInteger denominator)
    {
        BigInteger uniform = word;
        for (var precision = 64; ; precision += 64)
        {
            var width = precision + 128;
            var (low, high) = Bracket(numerator, denominator, width);
            if ((uniform + 1) << (width - precision) <= low)
            {
                return true;
            }

            if (uniform << (width - precision) >= high)
            {
                return false;
            }

            uniform = (uniform << 64) | bits.NextWord();
        }
    }

    /// <summary><c>2⁶⁴·e^−γ</c>, at most 2⁶⁴ − 1, within a few units: e^−γ = e^−n · e^−i/256 · e^−j/65536 · e^−r, r below 2⁻¹⁶.</summary>
    internal static ulong Approximate(double exponent)
    {
        if (exponent >= Whole)
        {
            return 0;
        }

        var n = (int)exponent;
        var fraction = (ulong)((exponent - n) * 18446744073709551616.0);
        var rest = fraction & 0x0000_FFFF_FFFF_FFFF;

        // 1 − r + r²/2 − r³/6; what is left out, r⁴/24, is below 2⁻⁶⁸.
        var square = Math.BigMul(rest, rest, out _);
        var cube = Math.BigMul(square, rest, out _);
        var series = rest == 0 ? ulong.MaxValue : unchecked(0 - (rest - (square >> 1) + (cube / 6)));
        return Math.BigMul(
            Math.BigMul(PerWhole[n], Per256th[fraction >> 56], out _),
            Math.BigMul(Per65536th[(fraction >> 48) & 0xFF], series, out _),
            out _);
    }

    /// <summary>
    /// Integers with <c>low ≤ 2ʷ·e^(−n/d) ≤ high</c>: the alternating series at γ/2ˢ ≤ 1, whose every term is off by less than two units, and
    /// s squarings rounded outwards.
    /// </summary>
    internal static (BigInteger Low, BigInteger High) Bracket(BigInteger numerator, BigInteger denominator, int width)
    {
        Debug.Assert(numerator.Sign >= 0 && denominator.Sign > 0);
        var halvings = (int)Math.Max(0, numerator.GetBitLength() - denominator.GetBitLength() + 1);
        var divisor = denominator << halvings;
        var one = BigInteger.One << width;
        var (term, sum, count) = (one, one, 1);
        for (; !term.IsZero; count++)
        {
            term = term * numerator / (divisor * count);
            sum += count % 2 == 0 ? term : -term;
        }

        var (low, high) = (sum - (2 * count), sum + (2 * count));
        for (var i = 0; i < halvings; i++)
        {
            low = low.Sign <= 0 ? BigInteger.Zero : (low * low) >> width;
            high = ((high * high) >> width) + 1;
        }

        return (low.Sign < 0 ? BigInteger.Zero : low, high);
    }

    private static ulong Scaled(int numerator, int denominator)
    {
        var (low, _) = Bracket(numerator, denominator, 128);
        return (ulong)BigInteger.Min(low >> 64, ulong.MaxValue);
    }
}
