namespace FedServerless.Privacy;

/// <summary>The standard normal's tail probabilities to full relative accuracy, which the platform does not offer.</summary>
internal static class NormalTail
{
    private const double LogRootTwoPi = 0.91893853320467274178;

    /// <summary><c>P(Z &gt; x)</c>.</summary>
    public static double Upper(double x) => x < 0 ? 1 - Upper(-x)
        : x < 2 ? 0.5 - Centre(x)
        : x > 39 ? 0
        : Math.Exp((-0.5 * x * x) - LogRootTwoPi) * MillsRatio(x);

    /// <summary><c>P(Z ≤ x)</c>.</summary>
    public static double Lower(double x) => Upper(-x);

    /// <summary><c>ln P(Z &gt; x)</c>, where the probability itself may underflow.</summary>
    public static double LogUpper(double x) => x < 2 ? Math.Log(Upper(x)) : (-0.5 * x * x) - LogRootTwoPi + Math.Log(MillsRatio(x));

    /// <summary><c>P(a &lt; Z ≤ b)</c>, from the tail that both ends lie nearer to, so that far intervals keep their digits.</summary>
    public static double Between(double a, double b) => a > 0 ? Upper(a) - Upper(b) : Lower(b) - Lower(a);

    // P(0 < Z <= x) = φ(x)·(x + x³/3 + x⁵/15 + …), positive terms only (Abramowitz and Stegun 26.2.11).
    private static double Centre(double x)
    {
        var (term, sum) = (x, x);
        for (var n = 3; term > sum * 1e-18; n += 2)
        {
            term *= x * x / n;
            sum += term;
        }

        return sum * Math.Exp((-0.5 * x * x) - LogRootTwoPi);
    }

    // Laplace's continued fraction 1/(x + 1/(x + 2/(x + 3/(x + …)))), Abramowitz and Stegun 26.2.14, from the inside out; the depth
    // is what x = 2 needs for sixteen digits, and less further out.
    private static double MillsRatio(double x)
    {
        var fraction = x;
        for (var n = 12 + (int)(600 / (x * x)); n >= 1; n--)
        {
            fraction = x + (n / fraction);
        }

        return 1 / fraction;
    }
}
