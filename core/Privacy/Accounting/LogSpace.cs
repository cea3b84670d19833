namespace FedServerless.Privacy;

/// <summary>
/// Logarithms that lose no digits. The platform's <c>double.LogP1</c> and <c>double.ExpM1</c> are <c>Log(1 + x)</c> and
/// <c>Exp(x) − 1</c> as written, and have none left for a small x: for a sampling rate of 10⁻¹⁰ that is the whole answer.
/// </summary>
internal static class LogSpace
{
    private const int TableSize = 64;
    private static readonly double[] SmallFactorials = Table();

    /// <summary><c>ln(1 + x)</c> to a few units in the last place, x ≥ −1: Kahan's correction of the rounding of 1 + x.</summary>
    public static double Log1P(double x)
    {
        var sum = 1 + x;
        return sum == 1 ? x : double.IsPositiveInfinity(sum) ? sum : sum == 0 ? double.NegativeInfinity : Math.Log(sum) * (x / (sum - 1));
    }

    /// <summary><c>eˣ − 1</c> to a few units in the last place: Kahan's correction of the rounding of eˣ.</summary>
    public static double ExpM1(double x)
    {
        var power = Math.Exp(x);
        if (power == 1)
        {
            return x;
        }

        var difference = power - 1;
        return difference == -1 || double.IsPositiveInfinity(power) ? difference : difference * (x / Math.Log(power));
    }

    /// <summary><c>ln(eˣ − 1)</c> for x ≥ 0, without overflow.</summary>
    public static double LogExpM1(double x) => x > 40 ? x : Math.Log(ExpM1(x));

    /// <summary><c>ln(1 + eˣ)</c> without overflow.</summary>
    public static double Log1PExp(double x) => x > 40 ? x : Log1P(Math.Exp(x));

    /// <summary><c>ln(eᵃ + eᵇ)</c>.</summary>
    public static double Add(double a, double b)
    {
        var (low, high) = a < b ? (a, b) : (b, a);
        return double.IsNegativeInfinity(low) ? high : high + Log1P(Math.Exp(low - high));
    }

    /// <summary><c>ln Σ exp(terms)</c>; −∞ of nothing.</summary>
    public static double Sum(ReadOnlySpan<double> terms)
    {
        var largest = double.NegativeInfinity;
        foreach (var term in terms)
        {
            largest = Math.Max(largest, term);
        }

        if (double.IsInfinity(largest))
        {
            return largest;
        }

        var sum = 0.0;
        foreach (var term in terms)
        {
            // A term below e⁻⁴⁵ of the largest changes nothing, and its exponential costs more than this look.
            if (term > largest - 45)
            {
                sum += Math.Exp(term - largest);
            }
        }

        return largest + Math.Log(sum);
    }

    /// <summary><c>ln n!</c>: summed below 64, Stirling's series above, where its first omitted term is below 10⁻¹⁶.</summary>
    public static double LogFactorial(long n)
    {
        if (n < TableSize)
        {
            return SmallFactorials[n];
        }

        double x = n;
        var square = 1 / (x * x);
        var series = ((((-square / 1680) + (1.0 / 1260)) * square - (1.0 / 360)) * square + (1.0 / 12)) / x;
        return ((x + 0.5) * Math.Log(x)) - x + 0.91893853320467274178 + series;
    }

    private static double[] Table()
    {
        var table = new double[TableSize];
        var (sum, lost) = (0.0, 0.0);
        for (var n = 2; n < TableSize; n++)
        {
            // Compensated, so that the last entry is as good as the first.
            var term = Math.Log(n) - lost;
            var next = sum + term;
            lost = next - sum - term;
            table[n] = sum = next;
        }

        return table;
    }
}
