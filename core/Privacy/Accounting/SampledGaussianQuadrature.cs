namespace FedServerless.Privacy;

/// <summary>
/// The sampled Gaussian's moment at any real order, by the trapezoid rule. The series of Mironov, Talwar and Zhang (section 3.3)
/// alternates in sign at fractional orders; this integrand is positive everywhere, <c>(1 + y)^α − 1 − α·y ≥ 0</c>, and analytic in a strip of
/// half-width π·z around the line, for which the trapezoid rule converges exponentially (Trefethen and Weideman 2014, theorem 5.1).
/// </summary>
internal static class SampledGaussianQuadrature
{
    /// <summary>Smaller noise needs more nodes than it deserves.</summary>
    public const double LeastNoise = 0.05;

    // Of the standard normal density e⁻⁵⁰ is left beyond this.
    private const double Reach = 10;

    /// <summary><c>ln(A − 1)</c>, <c>A − 1 = ∫ φ(x)·((1 + y)^α − 1 − α·y) dx</c>, <c>y = q·(e^ℓ − 1)</c>, <c>ℓ = x/z − 1/2z²</c>.</summary>
    public static double LogExcess(double rate, double noise, double order)
    {
        // Aliasing is e^{−2π·πz/step} and better: below 10⁻¹⁶ (step 0.4·z), and e^{−2π²/step²} for large noise.
        var step = Math.Min(0.4, 0.4 * noise);
        var last = (int)Math.Ceiling(((Math.Max(order, 2) / noise) + Reach) / step);
        var (largest, scaled, plain) = (double.NegativeInfinity, 0.0, 0.0);
        for (var i = -(int)Math.Ceiling(Reach / step); i <= last; i++)
        {
            var x = i * step;
            var exponent = (x / noise) - (1 / (2 * noise * noise));
            var growth = order * LogRatio(rate, exponent);
            if (growth < 600)
            {
                plain += Excess(order, rate * LogSpace.ExpM1(exponent), growth) * Math.Exp(-0.5 * x * x);
                continue;
            }

            // (1 + y)^α alone overflows; 1 + α·y is next to nothing beside it, yet not nothing when α is near 1.
            var linear = Math.Exp(LogSpace.Log1PExp(Math.Log(order * rate) + exponent) - growth);
            var term = growth + LogSpace.Log1P(-linear) - (0.5 * x * x);
            if (term > largest)
            {
                (scaled, largest) = ((scaled * Math.Exp(largest - term)) + 1, term);
            }
            else
            {
                scaled += Math.Exp(term - largest);
            }
        }

        return LogSpace.Add(Math.Log(plain), scaled > 0 ? largest + Math.Log(scaled) : double.NegativeInfinity) + Math.Log(step / Math.Sqrt(2 * Math.PI));
    }

    /// <summary><c>ln((1 − q) + q·e^ℓ)</c>: the privacy loss of the sampled mechanism where the plain one's is ℓ.</summary>
    public static double LogRatio(double rate, double exponent) => exponent > 30
        ? exponent + Math.Log(rate) + LogSpace.Log1P((1 - rate) / rate * Math.Exp(-exponent))
        : LogSpace.Log1P(rate * LogSpace.ExpM1(exponent));

    // (1 + y)^α − 1 − α·y without the cancellation: the binomial series from its second term where α·y is small.
    private static double Excess(double order, double y, double growth)
    {
        if (Math.Abs(y) * order > 0.5)
        {
            return LogSpace.ExpM1(growth) - (order * y);
        }

        var term = order * (order - 1) / 2 * y * y;
        var sum = term;
        for (var n = 2; Math.Abs(term) > sum * 1e-18; n++)
        {
            term *= (order - n) / (n + 1) * y;
            sum += term;
        }

        return sum;
    }
}
