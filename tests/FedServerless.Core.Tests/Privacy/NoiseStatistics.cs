using FedServerless.Privacy;

namespace FedServerless.Core.Tests.Privacy;

/// <summary>
/// Tests of noise against what it should be, each a standard normal score if it is that. A score beyond <see cref="Critical"/> refuses it: of true noise
/// one test in a million does.
/// </summary>
internal static class NoiseStatistics
{
    /// <summary>P(|Z| > 4.9) = 9.6·10⁻⁷.</summary>
    public const double Critical = 4.9;

    /// <summary>Whether Σx²/σ² is that of n values: mean n, variance 2n (that of the discrete Gaussian for σ of 2 and more, and less below).</summary>
    public static double Variance(ReadOnlySpan<long> noise, double deviation)
    {
        var sum = 0.0;
        foreach (var value in noise)
        {
            sum += value / deviation * (value / deviation);
        }

        return (sum - noise.Length) / Math.Sqrt(2.0 * noise.Length);
    }

    public static double Mean(ReadOnlySpan<long> noise, double deviation)
    {
        var sum = 0.0;
        foreach (var value in noise)
        {
            sum += value / deviation;
        }

        return sum / Math.Sqrt(noise.Length);
    }

    /// <summary>Whether two draws are independent: Σxy/σ² has variance n.</summary>
    public static double Correlation(ReadOnlySpan<long> one, ReadOnlySpan<long> other, double deviation)
    {
        var sum = 0.0;
        for (var i = 0; i < one.Length; i++)
        {
            sum += one[i] / deviation * (other[i] / deviation);
        }

        return sum / Math.Sqrt(one.Length);
    }

    /// <summary>
    /// Pearson's statistic against the exact probabilities <c>exp(−x²/2σ²)/Σ</c>, in cells of whole numbers with at least 20 expected values each, as a normal
    /// score by Wilson and Hilferty.
    /// </summary>
    public static double Shape(ReadOnlySpan<long> noise, double deviation)
    {
        var reach = (int)Math.Ceiling(12 * deviation) + 1;
        var weights = Enumerable.Range(-reach, (2 * reach) + 1).Select(x => Math.Exp(-x * (double)x / (2 * deviation * deviation))).ToArray();
        var total = weights.Sum();
        var counts = new int[weights.Length];
        foreach (var value in noise)
        {
            counts[Math.Clamp(value + reach, 0, counts.Length - 1)]++;
        }

        var (statistic, cells, expected, seen) = (0.0, 0, 0.0, 0.0);
        for (var i = 0; i < counts.Length; i++)
        {
            expected += noise.Length * weights[i] / total;
            seen += counts[i];
            if (expected >= 20 || i == counts.Length - 1)
            {
                statistic += (seen - expected) * (seen - expected) / Math.Max(expected, 1e-9);
                (cells, expected, seen) = (cells + 1, 0, 0);
            }
        }

        var freedom = cells - 1.0;
        return (Math.Cbrt(statistic / freedom) - (1 - (2 / (9 * freedom)))) / Math.Sqrt(2 / (9 * freedom));
    }

    public static long[] Draw(DiscreteGaussian noise, int count)
    {
        var values = new long[count];
        noise.Fill(values);
        return values;
    }
}
