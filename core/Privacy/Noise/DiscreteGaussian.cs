using System.Diagnostics;
using System.Numerics;

namespace FedServerless.Privacy;

/// <summary>
/// Exact samples of the discrete Gaussian <c>N_ℤ(0, σ²)</c>, <c>P(x) ∝ exp(−x²/2σ²)</c> on the integers: Canonne, Kamath and Steinke
/// 2020, arXiv:2004.00010, algorithms 1 to 3. σ² is rational, chance is the operating system's cryptographic generator, and no rounding of any
/// real number decides an outcome. Not thread-safe; every value is independent of every other, of this and any other instance.
/// </summary>
/// <remarks>The time a sample takes depends on its value, as with every rejection sampler: do not time single samples where others can watch.</remarks>
public sealed class DiscreteGaussian
{
    /// <summary>The largest standard deviation.</summary>
    public const double LargestDeviation = 1L << 40;

    private readonly EntropyBits _bits;
    private readonly ulong _band;
    private readonly BigInteger _numerator;
    private readonly BigInteger _denominator;
    private readonly ulong _scale;
    private readonly double _centre;
    private readonly double _perSquare;

    /// <summary>Noise of variance <paramref name="varianceNumerator"/>/<paramref name="varianceDenominator"/>.</summary>
    /// <param name="varianceNumerator">Positive.</param>
    /// <param name="varianceDenominator">Positive; σ is at most 2⁴⁰.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is not positive, or σ is too large.</exception>
    public DiscreteGaussian(BigInteger varianceNumerator, BigInteger varianceDenominator)
        : this(varianceNumerator, varianceDenominator, SystemEntropy.Instance)
    {
    }

    internal DiscreteGaussian(BigInteger varianceNumerator, BigInteger varianceDenominator, EntropySource entropy, ulong band = ExponentialCoin.Band)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(varianceNumerator);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(varianceDenominator);
        if (varianceNumerator > varianceDenominator << 80)
        {
            throw new ArgumentOutOfRangeException(nameof(varianceNumerator), "The standard deviation of discrete noise is at most 2^40.");
        }

        var common = BigInteger.GreatestCommonDivisor(varianceNumerator, varianceDenominator);
        (_numerator, _denominator) = (varianceNumerator / common, varianceDenominator / common);
        (_bits, _band) = (new EntropyBits(entropy), band);
        _scale = (ulong)FloorRoot(_numerator / _denominator) + 1;
        var variance = Quotient(_numerator, _denominator);
        StandardDeviation = Math.Sqrt(variance);
        _centre = Quotient(_numerator, _denominator * _scale);
        _perSquare = 1 / (2 * variance);
    }

    /// <summary>σ, rounded.</summary>
    public double StandardDeviation { get; }

    /// <summary>
    /// The noise for a sum of contributions on the grid C·2⁻ᵏ: <c>σ = z·2ᵏ</c> steps, σ² exactly the square of the double z times 4ᵏ.
    /// </summary>
    /// <param name="noiseMultiplier">z, in the range of <see cref="ReleaseEvent"/>.</param>
    /// <param name="gridBits">k.</param>
    public static DiscreteGaussian OnGrid(double noiseMultiplier, int gridBits) => OnGrid(noiseMultiplier, gridBits, SystemEntropy.Instance);

    internal static DiscreteGaussian OnGrid(double noiseMultiplier, int gridBits, EntropySource entropy)
    {
        // The event refuses what no accountant would price.
        _ = new GaussianEvent(noiseMultiplier, gridBits);
        var raw = BitConverter.DoubleToInt64Bits(noiseMultiplier);
        var mantissa = (raw & 0x000F_FFFF_FFFF_FFFF) | 0x0010_0000_0000_0000;
        var exponent = 2 * ((int)(raw >> 52) - 1075 + gridBits);
        var square = (BigInteger)mantissa * mantissa;
        return exponent >= 0
            ? new(square << exponent, BigInteger.One, entropy)
            : new(square, BigInteger.One << -exponent, entropy);
    }

    /// <summary>One value.</summary>
    public long Next()
    {
        // Algorithm 3: a discrete Laplace of scale t = floor(σ) + 1, kept with probability exp(−(|y| − σ²/t)²/2σ²).
        while (true)
        {
            var magnitude = NextLaplace(out var negative);
            var offset = magnitude - _centre;
            if (!ExponentialCoin.Toss(_bits, offset * offset * _perSquare, _band, out var keep, out var word))
            {
                keep = SettleKeep(word, magnitude);
            }

            if (keep)
            {
                return negative ? -(long)magnitude : (long)magnitude;
            }
        }
    }

    /// <summary>One value for each element.</summary>
    public void Fill(Span<long> destination)
    {
        for (var i = 0; i < destination.Length; i++)
        {
            destination[i] = Next();
        }
    }

    /// <summary>Adds one value to each element.</summary>
    /// <exception cref="OverflowException">A sum leaves the range of 64 bits; with the limits of <see cref="UpdateGrid"/> less likely than 2^(−2⁴⁰).</exception>
    public void AddTo(Span<long> sums)
    {
        for (var i = 0; i < sums.Length; i++)
        {
            sums[i] = checked(sums[i] + Next());
        }
    }

    // Algorithm 2 with s = 1: u below t kept with probability e^(−u/t), then t more for every head of a coin of e^−1.
    private ulong NextLaplace(out bool negative)
    {
        while (true)
        {
            var rest = _bits.NextBelow(_scale);
            if (!TossRatio(rest, _scale))
            {
                continue;
            }

            ulong laps = 0;
            while (TossRatio(1, 1))
            {
                laps++;
            }

            var magnitude = checked(rest + (_scale * laps));
            negative = _bits.NextBit();
            if (magnitude != 0 || !negative)
            {
                return magnitude;
            }
        }
    }

    private bool TossRatio(ulong numerator, ulong denominator) =>
        ExponentialCoin.Toss(_bits, (double)numerator / denominator, _band, out var heads, out var word)
            ? heads
            : ExponentialCoin.Settle(_bits, word, numerator, denominator);

    // γ = (|y| − σ²/t)²/2σ² = (|y|·t·d − n)²/(2·n·d·t²) for σ² = n/d.
    private bool SettleKeep(ulong word, ulong magnitude)
    {
        var offset = (_denominator * magnitude * _scale) - _numerator;
        return ExponentialCoin.Settle(_bits, word, offset * offset, 2 * _numerator * _denominator * _scale * _scale);
    }

    private static BigInteger FloorRoot(BigInteger value)
    {
        var root = (BigInteger)Math.Sqrt((double)value);
        while (root * root > value)
        {
            root--;
        }

        while ((root + 1) * (root + 1) <= value)
        {
            root++;
        }

        return root;
    }

    // The quotient within 2⁻⁵²: 64 leading bits, then one rounding.
    private static double Quotient(BigInteger numerator, BigInteger denominator)
    {
        var shift = (int)(64 - numerator.GetBitLength() + denominator.GetBitLength());
        var scaled = shift >= 0 ? (numerator << shift) / denominator : numerator / (denominator << -shift);
        Debug.Assert(scaled.GetBitLength() is 64 or 65);
        return Math.ScaleB((double)(UInt128)scaled, -shift);
    }
}
